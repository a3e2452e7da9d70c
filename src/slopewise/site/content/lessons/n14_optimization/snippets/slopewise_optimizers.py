# needs: slopewise
import slopewise as sw
from slopewise.optim.schedules import CosineDecay, WarmUp


def valley(w):
    return 0.5 * (w[0] ** 2 + 25 * w[1] ** 2)


rules = {
    "plain": lambda w: sw.optim.SGD([w], lr=0.07),
    "momentum": lambda w: sw.optim.SGD([w], lr=0.02, momentum=0.9),
    "Adam": lambda w: sw.optim.Adam([w], lr=0.22),
}
for name, rule in rules.items():
    w = sw.tensor([-3.0, 1.0], requires_grad=True)
    optimizer = rule(w)
    for update in range(40):
        optimizer.zero_grad()
        valley(w).backward()
        optimizer.step()
    print(f"{name:9} {valley(w).item():.4f}")

# A schedule takes the place of the number. The optimizer counts its own updates.
schedule = WarmUp(CosineDecay(0.1, steps=16), steps=4)
optimizer = sw.optim.AdamW([w], lr=schedule, weight_decay=0.01)
print("rates:", *(f"{schedule(step).item():.3f}" for step in range(0, 21, 4)))
