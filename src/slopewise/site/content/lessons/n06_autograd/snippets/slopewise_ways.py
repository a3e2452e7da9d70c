# needs: slopewise
import slopewise as sw


def f(x):
    return sw.sin(x * x) + x


# One tape, asked in three habits.
x = sw.tensor(0.8, requires_grad=True)
f(x).backward()
print("backward()  ", round(x.grad.item(), 6))

with sw.GradientTape() as tape:
    w = sw.tensor(0.8)
    tape.watch(w)
    y = f(w)
print("GradientTape", round(tape.gradient(y, w).item(), 6))

print("grad(f)     ", round(sw.grad(f)(sw.tensor(0.8)).item(), 6))

# The value and the derivative along a direction, as forward mode gives them; here by reversing the reverse.
value, along = sw.jvp(f, (sw.tensor(0.8),), (sw.tensor(1.0),))
print("jvp         ", round(along.item(), 6))


# A tape notes what was carried out, so loops and branches need no rule of their own.
def until_large(x):
    while x.item() < 100:
        x = x * x
    return x


print("a loop      ", sw.grad(until_large)(sw.tensor(3.0)).item())
sw.check_gradients(f, sw.tensor(0.8))  # raises an error if finite differences disagree
