# needs: slopewise
import slopewise as sw

X, y = sw.data.generate("sine", n=216, noise=0.4, seed=0)
parts = sw.data.split(216, validation=100, test=100, seed=0)  # 16 rows are left to learn from
X_train, X_val, X_test = X[parts.train], X[parts.validation], X[parts.test]
y_train, y_val, y_test = (y[rows, None] for rows in (parts.train, parts.validation, parts.test))


def fit(weight_decay=0.0, callbacks=()):
    sw.manual_seed(0)
    layers = [sw.nn.Linear(1, 32), sw.nn.Tanh(), sw.nn.Linear(32, 32), sw.nn.Tanh(), sw.nn.Linear(32, 1)]
    model = sw.nn.Sequential(*layers)
    optimizer = sw.optim.AdamW(model.parameters(), lr=0.03, weight_decay=weight_decay)
    trainer = sw.Trainer(model, loss="mse", optimizer=optimizer, seed=0)
    held_back = X_val, y_val
    trainer.fit(X_train, y_train, validation=held_back, epochs=300, batch_size="full", callbacks=callbacks)
    losses = [
        trainer.evaluate(*rows)["loss"] for rows in ((X_train, y_train), (X_val, y_val), (X_test, y_test))
    ]
    return "training {:.2f}, validation {:.2f}, test {:.2f}".format(*losses)


print("to the end:    ", fit())
print("early stopping:", fit(callbacks=[sw.train.EarlyStopping(patience=40)]))
print("weight decay:  ", fit(weight_decay=3.0))
