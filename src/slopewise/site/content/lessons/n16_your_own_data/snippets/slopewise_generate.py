# needs: slopewise
import slopewise as sw

calm, y = sw.data.generate("moons", n=200, noise=0.1, seed=0)
wild, same = sw.data.generate("moons", n=200, noise=0.3, seed=0)
pure, _ = sw.data.generate("moons", n=200, noise=0.0, seed=0)

print("the same classes:", bool((y == same).all()))
print(f"moved {abs(wild - pure).mean() / abs(calm - pure).mean():.1f} times as far")

table = sw.data.generate_table("blobs", n=90, classes=3, imbalance=5, missing=0.05, seed=0)
for column in table.describe():
    print(column["column"], column["kind"], "missing", column["missing"])
