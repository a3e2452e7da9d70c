# needs: slopewise
import slopewise as sw

X, y = sw.data.generate("moons", n=400, noise=0.3, seed=0)
X_train, X_test, y_train, y_test = sw.data.train_test_split(X, y, test_size=0.25, stratify=y, seed=0)

mean, spread = X_train.mean(axis=0), X_train.std(axis=0)  # from the training rows alone
scaled = [(part - mean) / spread for part in (X_train, X_test)]

sw.manual_seed(0)
model = sw.nn.Sequential(sw.nn.Linear(2, 16), sw.nn.Tanh(), sw.nn.Linear(16, 2))
optimizer = sw.optim.Adam(model.parameters(), lr=0.02)
trainer = sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"], seed=0)
trainer.fit(scaled[0], y_train, epochs=60, batch_size=50)

print(f"learned from {len(y_train)} rows: {trainer.evaluate(scaled[0], y_train)['accuracy']:.0%}")
print(f"opened once, {len(y_test)} rows: {trainer.evaluate(scaled[1], y_test)['accuracy']:.0%}")
