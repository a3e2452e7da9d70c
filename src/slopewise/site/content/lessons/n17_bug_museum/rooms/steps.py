"""Second room: the loss and the step that follows from it."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.exhibit import Check, Exhibit, Patch

CLIFF = Exhibit(
    name="The cliff",
    report="My loss was never good for a single moment. It jumps, and then it sits there.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
optimizer = SGD(model.parameters(), lr=«rate»)
for epoch in range(25):
    for xb, yb in batches(X_train, y_train, size=«size»):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        «between»
        optimizer.step()
        log(model, loss)
""",
    broken={"rate": "50.0", "size": "16", "between": ""},
    fault="rate",
    instrument="map",
    look="When does the trouble begin: at the very first updates, or after a good while?",
    diagnoses=(
        "The steps are far too long for these slopes",
        "The gradients of past batches are never thrown away",
        "All hidden units are copies of one another",
        "The labels do not belong to their rows",
    ),
    answer=0,
    because="The trouble is there from the second reading on, and the first updates are longer than the "
    "weights that they move. The stored gradient is the batch's own, so nothing adds up: its steps are "
    "simply too long. The loss went as high as {highest_loss}.",
    patches={
        "a": Patch(
            "`lr=1e-5` in place of `lr=50.0`",
            {"rate": "1e-5"},
            "Now the steps are so short that nothing happens within this run.",
        ),
        "b": Patch(
            "`size=8` in place of `size=16`",
            {"size": "8"},
            "Smaller batches make the gradient noisier, and the steps no shorter.",
        ),
        "c": Patch(
            "`clip_gradients(model, 1.0)` before `step()`",
            {"between": "clip_gradients(model, 1.0)"},
            "A gradient of length 1 at most still makes a step of length 50.",
        ),
        "d": Patch(
            "`lr=1.0` in place of `lr=50.0`",
            {"rate": "1.0"},
            "Steps that follow the slope and do not jump over the valley.",
            heals=True,
        ),
    },
    checks=(
        Check("validation loss, worst of the last readings", "worst_validation", most=0.6),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

UPHILL = Exhibit(
    name="The climber",
    report="I wrote the update myself, as in the formula. The loss rises as steadily as others fall.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
rate = «rate»
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        for p in model.parameters():
            p.grad = None
        loss = «minus»cross_entropy(model(xb), yb)
        loss.backward()
        with no_grad():
            for p in model.parameters():
                «update»
        log(model, loss)
""",
    broken={"rate": "0.5", "epochs": "25", "minus": "", "update": "p += rate * p.grad"},
    fault="update",
    instrument="map",
    look="No jumps, no swing: the readings go one way, and calmly. Which way? How many rows are right: "
    "fewer than a coin gets?",
    diagnoses=(
        "The learning rate is too high",
        "The model cannot bend",
        "The update walks with the gradient, not against it",
        "Softmax is applied twice",
    ),
    answer=2,
    because="The loss climbs smoothly to {validation} and {right} of the validation rows are right. Chance "
    "would get half: it takes a gradient to be so thoroughly wrong.",
    patches={
        "a": Patch(
            "`rate = 0.05` in place of `rate = 0.5`",
            {"rate": "0.05"},
            "The same climb, slower.",
        ),
        "b": Patch(
            "`loss = -cross_entropy(…)`",
            {"minus": "-"},
            "Two wrongs: the rows come out right, but the loop prints a loss that falls below zero, and the "
            "stored gradient is the opposite of the loss's own. Whoever mends the update later breaks it "
            "again.",
        ),
        "c": Patch(
            "`p -= rate * p.grad`",
            {"update": "p -= rate * p.grad"},
            "The gradient points uphill, so the step goes against it.",
            heals=True,
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "There is no top to reach: it climbs on.",
        ),
    },
    checks=(
        Check("distance of the stored gradient from the batch's own, in its lengths", "astray", most=0.01),
        Check("validation loss", "validation", most=0.6),
        Check("validation rows right", "right", least=0.75, percent=True),
    ),
)

GIANTS = Exhibit(
    name="The giant",
    report="It trained well with batches of one. I took batches of 16 for speed, and now it jumps about.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
optimizer = SGD(model.parameters(), lr=«rate»)
for epoch in range(25):
    for xb, yb in batches(X_train, y_train, size=«size»):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb, «reduction»)
        loss.backward()
        «between»
        optimizer.step()
        log(model, loss)
""",
    broken={"rate": "1.0", "size": "16", "reduction": 'reduction="sum"', "between": ""},
    fault="reduction",
    instrument="map",
    look="Compare the first loss that the loop prints with the loss that is measured apart from it.",
    diagnoses=(
        "Gradients of past batches add up",
        "The loss is summed over the batch, where a mean was meant",
        "The learning rate is too high for any batch size",
        "Dropout is on while the model is scored",
    ),
    answer=1,
    because="The first loss that the loop prints is {first_loss}. With two classes and no opinion the mean "
    "is near {two}: it prints 16 times as much, and the gradient is 16 times as long as the batch's mean "
    "says.",
    patches={
        "a": Patch(
            "`size=32` in place of `size=16`",
            {"size": "32"},
            "A sum over twice as many rows makes steps twice as long.",
        ),
        "b": Patch(
            '`reduction="mean"`',
            {"reduction": 'reduction="mean"'},
            "The mean has the same size for any batch, and so has the step.",
            heals=True,
        ),
        "c": Patch(
            "`lr=1.0 / 16`",
            {"rate": "1.0 / 16"},
            "It trains as it should, for batches of 16 rows. The gradient is still a sum: another batch "
            "size, and the trouble is back.",
        ),
        "d": Patch(
            "`clip_gradients(model, 1.0)` before `step()`",
            {"between": "clip_gradients(model, 1.0)"},
            "Each step has nearly the same length now, also where the slope is gentle.",
        ),
    },
    checks=(
        Check("distance of the stored gradient from the batch's own, in its lengths", "astray", most=0.01),
        Check("first loss that the loop prints", "first_loss", most=1.2),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

RANK = Exhibit(
    name="The contest",
    report="I wrote softmax and the loss by hand. It learns something, but the loss starts high and stays "
    "high.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
optimizer = Adam(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train, size=«size»):
        optimizer.zero_grad()
        p = softmax(model(xb), «axis»)
        loss = -sw.log(pick(p, yb)).mean()
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"rate": "0.05", "epochs": "25", "axis": "axis=0", "size": "16"},
    fault="axis",
    instrument="map",
    look="The very first loss: what should it be with two classes and no opinion?",
    diagnoses=(
        "The first weights are too large",
        "The labels do not belong to their rows",
        "The learning rate is too low",
        "Softmax runs along the wrong axis: rows compete, not classes",
    ),
    answer=3,
    because="Two classes and no opinion give {two}. The loop's first loss is {first_loss}, near the "
    "logarithm of 16, the number of rows in a batch: probabilities add up to 1 over the rows.",
    patches={
        "a": Patch(
            "`axis=1` in place of `axis=0`",
            {"axis": "axis=1"},
            "Each row's classes share its probability.",
            heals=True,
        ),
        "b": Patch(
            "`size=8` in place of `size=16`",
            {"size": "8"},
            "The loss starts lower, since fewer rows compete. They compete all the same.",
        ),
        "c": Patch(
            "`lr=0.005` in place of `lr=0.05`",
            {"rate": "0.005"},
            "The same contest, slower.",
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "More of the same contest.",
        ),
    },
    checks=(
        Check("first loss that the loop prints", "first_loss", most=1.2),
        Check("distance of the stored gradient from the batch's own, in its lengths", "astray", most=0.01),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

EXHIBITS = {"cliff": CLIFF, "climber": UPHILL, "giant": GIANTS, "contest": RANK}
