"""Fourth room: what is fed to the loop."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.exhibit import Check, Exhibit, Patch

RULERS = Exhibit(
    name="The two rulers",
    report="On training rows it is fine. In the new clinic it is poor, though their table is as clean as "
    "ours.",
    data="clinics",
    program="""
mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
X_train = «training»
X_val = «validation»
model = Sequential(Linear(2, 8), Tanh(), Linear(8, 2))
optimizer = Adam(model.parameters(), lr=0.05)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={
        "training": "(X_train - mean) / spread",
        "validation": "(X_val - X_val.mean(axis=0)) / X_val.std(axis=0)",
        "epochs": "25",
    },
    fault="validation",
    instrument="inputs",
    look="The new clinic sees mostly class 1. Where do its rows lie, as the model sees them, and where "
    "should they?",
    diagnoses=(
        "It overfits: too many weights for 96 rows",
        "The validation rows are scaled by a ruler of their own",
        "Dropout is on while it is scored",
        "Rows and labels were shuffled apart",
    ),
    answer=1,
    because="Both clouds are centred at 0, as if both clinics were alike; but the new one has mostly class "
    "1. One and the same row differs by {ruler}, prepared the one way and the other.",
    patches={
        "a": Patch(
            "`(X_val - mean) / spread`: the training rows' numbers",
            {"validation": "(X_val - mean) / spread"},
            "One ruler for all rows: the one that the model has learned with.",
            heals=True,
        ),
        "b": Patch(
            "`X_val` as it is, not scaled",
            {"validation": "X_val"},
            "The model has never seen numbers of this size.",
        ),
        "c": Patch(
            "`(X_val - mean) / X_val.std(axis=0)`: the mean of one, the spread of the other",
            {"validation": "(X_val - mean) / X_val.std(axis=0)"},
            "Half of the ruler is right. Rows are still stretched.",
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "The training rows were learned well already.",
        ),
    },
    checks=(
        Check("one row, prepared both ways: largest difference", "ruler", most=1e-4),
        Check("validation rows right", "right", least=0.9, percent=True),
    ),
)

AVERAGE = Exhibit(
    name="The shrug",
    report="Whatever I ask, it answers with nearly the same number. The loss does not go below the "
    "targets' variance.",
    data="sine",
    loss="mse",
    program="""
model = Sequential(Linear(1, «width»), Tanh(), Linear(«width», 1))
optimizer = Adam(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = ((model(xb) - «target») ** 2).mean()
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"width": "16", "rate": "0.05", "epochs": "25", "target": "yb"},
    fault="target",
    instrument="answers",
    look="Predictions against targets: a good model lies on the dashed line. What does this one do?",
    diagnoses=(
        "The hidden units are dead",
        "The gradient is cut before the first layer",
        "Every prediction is compared with every target: the shapes broadcast",
        "The learning rate is too low",
    ),
    answer=2,
    because="All layers learn, and they have learned to answer between {lowest_output} and "
    "{highest_output}: near the "
    "mean target, which is the best answer to all targets at once. Predictions have shape (16, 1), targets "
    "(16,).",
    patches={
        "a": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "It shrugs more firmly.",
        ),
        "b": Patch(
            "64 units in place of 16",
            {"width": "64"},
            "A larger model finds the same mean.",
        ),
        "c": Patch(
            "`yb.reshape((1, -1))` in place of `yb`",
            {"target": "yb.reshape((1, -1))"},
            "That is what broadcasting did by itself: a row of targets against a column of predictions.",
        ),
        "d": Patch(
            "`yb.reshape((-1, 1))` in place of `yb`",
            {"target": "yb.reshape((-1, 1))"},
            "Column against column: each prediction meets its own target.",
            heals=True,
        ),
    },
    checks=(
        Check("width of the predictions", "width_of_outputs", least=1.2),
        Check("validation loss", "validation", most=0.15),
    ),
)

SEESAW = Exhibit(
    name="The seesaw",
    report="The loss looks like a saw. The model believes in one class, and a moment later in the other.",
    data="sorted moons",
    program="""
model = Sequential(Linear(2, «width»), Tanh(), Linear(«width», 2))
optimizer = SGD(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train, size=4, «order»):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"width": "16", "rate": "0.5", "epochs": "8", "order": "shuffle=False"},
    fault="order",
    instrument="shares",
    look="One picture shows what each batch holds. Hold the loss of the batches against it.",
    diagnoses=(
        "The batches hold one class each: rows lie by class, and are not shuffled",
        "The learning rate is too high for these rows",
        "The labels do not belong to their rows",
        "The validation rows are scaled by a ruler of their own",
    ),
    answer=0,
    because="{pure} of the batches held one class only. A dozen updates pull to one class, a dozen to the "
    "other, and the loss of a batch shows how far the model has just been pulled away.",
    patches={
        "a": Patch(
            "64 units in place of 16",
            {"width": "64"},
            "A larger model is pulled to and fro as well.",
        ),
        "b": Patch(
            "`shuffle=True`",
            {"order": "shuffle=True"},
            "Each batch is a fair sample of the rows, so its gradient points about where all rows point.",
            heals=True,
        ),
        "c": Patch(
            "`lr=0.05` in place of `lr=0.5`",
            {"rate": "0.05"},
            "Smaller pulls, to and fro, and slow.",
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "24"},
            "The same order, again and again.",
        ),
    },
    checks=(
        Check("batches that hold one class only", "pure", most=0.4, percent=True),
        Check("validation loss, worst of the last readings", "worst_validation", most=0.6),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

EXHIBITS = {"rulers": RULERS, "shrug": AVERAGE, "seesaw": SEESAW}
