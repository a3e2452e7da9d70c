# needs: slopewise
import slopewise as sw

X, y = sw.data.generate("moons", n=240, noise=0.2, seed=5)  # collect
parts = sw.data.split(240, validation=0.25, test=0.25, stratify=y, seed=5)  # split
mean, spread = X[parts.train].mean(axis=0), X[parts.train].std(axis=0)  # prepare
X = (X - mean) / spread


def train(model, epochs):
    trainer = sw.Trainer(
        model,
        loss="cross_entropy",
        optimizer=sw.optim.Adam(model.parameters(), lr=0.02),
        metrics=["accuracy"],
        seed=0,
    )
    trainer.fit(X[parts.train], y[parts.train], epochs=epochs, batch_size=32)
    score = trainer.evaluate(X[parts.validation], y[parts.validation])["accuracy"]
    return trainer, score


line = sw.nn.Linear(2, 2)
network = sw.nn.Sequential(sw.nn.Linear(2, 8), sw.nn.Tanh(), sw.nn.Linear(8, 2))
rounds = [train(line, 40), train(network, 80)]  # train, validate, and once more
for number, (_, score) in enumerate(rounds, start=1):
    print(f"round {number}: {score:.0%} right in validation")

chosen, _ = max(rounds, key=lambda made: made[1])
print(f"test, once: {chosen.evaluate(X[parts.test], y[parts.test])['accuracy']:.0%}")
