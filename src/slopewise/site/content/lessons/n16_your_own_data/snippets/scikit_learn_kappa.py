# needs: sklearn
from sklearn.datasets import make_moons
from sklearn.metrics import accuracy_score, cohen_kappa_score


def labels(both_no, first_only, second_only, both_yes):
    first = [0] * both_no + [1] * first_only + [0] * second_only + [1] * both_yes
    second = [0] * both_no + [0] * first_only + [1] * second_only + [1] * both_yes
    return first, second


for name, counts in (("both frequent", (46, 4, 4, 46)), ("one rare", (90, 4, 4, 2))):
    first, second = labels(*counts)
    agree, kappa = accuracy_score(first, second), cohen_kappa_score(first, second)
    print(f"{name}: agree {agree:.2f}, kappa {kappa:.2f}")

X, y = make_moons(n_samples=200, noise=0.1, random_state=0)
print("moons", X.shape, "classes", sorted(set(y.tolist())))
