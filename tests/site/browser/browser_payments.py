"""The way to Stripe and back in a real browser, whose policy lets no form lead to another site.

Not collected by default: `make test-site` runs files of this name. Stripe's pages are played by the test.
"""

import time

from stripe_events import DAY, Subscription

AWAY = "https://*.stripe.com/**"


def play_stripe(page):
    page.route(AWAY, lambda route: route.fulfill(body="<h1>A page of Stripe</h1>", content_type="text/html"))


def there_and_back(reader, button):
    """Press a button with the keyboard, come to Stripe's page, and leave nothing else for another site."""
    reader.page.get_by_role("button", name=button).focus()
    reader.page.keyboard.press("Enter")
    reader.page.get_by_role("heading", name="A page of Stripe").wait_for()
    assert [url.partition(".com/")[0] for url in set(reader.watch.away)] == [
        reader.page.url.partition(".com/")[0]
    ]
    reader.watch.away.clear()


def subscribe(reader, stripe):
    """Go to the checkout, come back, wait, be a member; return the subscription."""
    page, start = reader.page, int(time.time()) - DAY
    play_stripe(page)
    reader.sign_up()
    reader.open("/membership")
    assert page.inner_text(".price") == "9.00 EUR a month"
    assert reader.fits()
    there_and_back(reader, "Become a member")
    _, customer, learner, done, _ = stripe.asked[-1]
    reader.open("/membership?" + done.partition("?")[2])
    assert "as soon as Stripe has told us" in page.inner_text("main")
    one = Subscription(customer, start, learner)
    reader.served.hear_from_stripe(one.created(), one.updated("active", start), one.paid(), one.linked())
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("heading", name="Your subscription").wait_for()
    return one


def test_somebody_subscribes_and_manages_it(reader, page, stripe, violations):
    one = subscribe(reader, stripe)
    reader.open("/account")
    assert "Your subscription renews on" in page.inner_text("main")
    there_and_back(reader, "Manage it at Stripe")
    reader.served.hear_from_stripe(one.updated("past_due", one.start + 60))
    for path in ("/account", "/membership", "/account/delete"):
        reader.open(path)
        assert violations(page) == []
        assert reader.fits()


def test_without_script_it_goes_as_well(new_reader, stripe):
    reader = new_reader("phone", java_script_enabled=False)
    subscribe(reader, stripe)


def test_the_offer_to_a_stranger(reader, page, stripe, violations):
    reader.open("/membership")
    assert violations(page) == []
    page.get_by_role("link", name="Log in to become a member").click()
    assert "next=/membership" in page.url
