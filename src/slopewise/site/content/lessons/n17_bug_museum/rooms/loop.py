"""First room: lines of the loop that are missing, misplaced or doubled."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.exhibit import Check, Exhibit, Patch

SWING = Exhibit(
    name="The swing",
    report="It learns at first. Then the loss climbs and swings, and the longer I train the wilder it gets.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
optimizer = SGD(model.parameters(), lr=«rate»)
for epoch in range(25):
    for xb, yb in batches(X_train, y_train):
        «reset»
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        «between»
        optimizer.step()
        log(model, loss)
""",
    broken={"rate": "1.0", "reset": "", "between": ""},
    fault="reset",
    instrument="map",
    look="Compare the sizes of the gradients with the loss: what do they do while the loss is still low?",
    diagnoses=(
        "The learning rate is too high for this valley",
        "The gradients of past batches are never thrown away",
        "The labels are wrong",
        "The network is too small",
    ),
    answer=1,
    because="With a rate that is merely too high, the first updates swing already, and the stored gradient "
    "is the batch's own. Here gradients grow first, and at the end the stored one lies {astray} lengths of "
    "the batch's own away from it. Every `backward()` adds to what is there.",
    patches={
        "a": Patch(
            "`lr=0.1` in place of `lr=1.0`",
            {"rate": "0.1"},
            "Small steps hide the fault. Sums of gradients act like momentum that never fades, so rows may "
            "even come out right, until the swing has grown.",
        ),
        "b": Patch(
            "`optimizer.zero_grad()` before the forward pass",
            {"reset": "optimizer.zero_grad()"},
            "Each update now follows its own batch alone.",
            heals=True,
        ),
        "c": Patch(
            "`optimizer.zero_grad()` between `backward()` and `step()`",
            {"between": "optimizer.zero_grad()"},
            "The right line at the wrong place: it throws the gradient away before the update can use it.",
        ),
        "d": Patch(
            "`clip_gradients(model, 1.0)` before `step()`",
            {"between": "clip_gradients(model, 1.0)"},
            "Clipping shortens the sum, but it is still the sum over batches that are gone.",
        ),
    },
    checks=(
        Check("distance of the stored gradient from the batch's own, in its lengths", "astray", most=0.01),
        Check("validation loss, worst of the last readings", "worst_validation", most=0.6),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

FLICKER = Exhibit(
    name="The flicker",
    report="My validation score jumps from epoch to epoch. I scored the same model twice, on the same rows, "
    "and got two numbers.",
    data="noisy moons",
    program="""
model = Sequential(Linear(2, 32), ReLU(), Dropout(0.5), Linear(32, 2))
optimizer = Adam(model.parameters(), lr=0.02)
for epoch in range(25):
    «mode»
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
    «before»
    «score»
""",
    broken={"mode": "model.train()", "before": "", "score": "score(model)"},
    fault="before",
    instrument="asked",
    look="One picture asks the model ten times for the same rows. Are the ten answers one?",
    diagnoses=(
        "There are too few validation rows",
        "The learning rate is too high at the end",
        "Dropout is still at work while the model is scored",
        "Gradients are recorded while the model is scored",
    ),
    answer=2,
    because="Few rows make a score uncertain, but never two scores of one model. Between the ten answers the "
    "probability of a row moves by up to {spread} (standard deviation), so something in the model is random.",
    patches={
        "a": Patch(
            "`with no_grad(): score(model)`",
            {"score": "with no_grad(): score(model)"},
            "`no_grad()` stops the recording of gradients. Dropout does not ask for it.",
        ),
        "b": Patch(
            "`model.eval()` in place of `model.train()`",
            {"mode": "model.eval()"},
            "The answers stand still, and so does dropout while training: it was switched off altogether.",
        ),
        "c": Patch(
            "`model.eval()` before `score(model)`",
            {"before": "model.eval()"},
            "Dropout works in training and rests in scoring.",
            heals=True,
        ),
        "d": Patch(
            "`manual_seed(0)` before `score(model)`",
            {"before": "manual_seed(0)"},
            "A seed makes a run repeatable. Within a run, each call still draws a mask of its own.",
        ),
    },
    checks=(
        Check("spread of ten answers for one row", "spread", most=1e-6),
        Check("updates made in training mode", "in_training_mode", least=1.0, percent=True),
        Check("validation rows right, as the loop scores", "asked_right", least=0.82, percent=True),
    ),
)

FLOOR = Exhibit(
    name="The floor",
    report="Nearly all rows are right, yet the loss stops falling far above zero, whatever I do.",
    data="blobs",
    program="""
model = Sequential(Linear(2, 16), ReLU(), «last»)
optimizer = Adam(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = cross_entropy(«outputs», yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={
        "last": "Linear(16, 3), Softmax()",
        "rate": "0.02",
        "epochs": "25",
        "outputs": "model(xb)",
    },
    fault="last",
    instrument="map",
    look="Three classes, and the curve of the loss flattens out. At which height? Compare it with the share "
    "that is right.",
    diagnoses=(
        "The rows overlap, so no model gets lower",
        "Training stopped too early",
        "The learning rate is too low",
        "Softmax is applied twice: by the model and inside of the loss",
    ),
    answer=3,
    because="{right} of the validation rows are right, so the rows do not overlap much. But the loss rests "
    "at {validation}, just above {softmax_floor}: with three classes a softmax of probabilities cannot do "
    "better.",
    patches={
        "a": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "It creeps towards the floor, and the floor is part of the formula.",
        ),
        "b": Patch(
            "`lr=0.2` in place of `lr=0.02`",
            {"rate": "0.2"},
            "Larger steps reach the same floor.",
        ),
        "c": Patch(
            "`Linear(16, 3)` as the last layer, without `Softmax()`",
            {"last": "Linear(16, 3)"},
            "The model returns scores, and cross-entropy takes the softmax itself.",
            heals=True,
        ),
        "d": Patch(
            "`Tanh()` in place of `Softmax()`",
            {"last": "Linear(16, 3), Tanh()"},
            "Another squeeze, another floor: scores from -1 to 1 cannot make a class certain.",
        ),
    },
    checks=(
        Check("validation loss", "validation", most=0.2),
        Check("validation rows right", "right", least=0.93, percent=True),
    ),
)

STRANGERS = Exhibit(
    name="The strangers",
    report="The same rows, the same code as last month. I only added a line that shuffles. Now nothing is "
    "learned.",
    data="moons",
    program="""
order = «rows»
X_train, y_train = X_train[order], y_train[«targets»]
model = Sequential(Linear(2, «width»), Tanh(), Linear(«width», 2))
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
        "rows": "permutation(1)",
        "targets": "permutation(2)",
        "width": "16",
        "epochs": "25",
    },
    fault="targets",
    instrument="map",
    look="Gradients flow and weights move. Look at which loss falls, and which does not; and at the dots "
    "on the map.",
    diagnoses=(
        "The rows were shuffled apart from their labels",
        "The first layer gets no gradient",
        "The learning rate is too low",
        "The model is scored with dropout on",
    ),
    answer=0,
    because="Everything moves, so neither gradients nor steps are missing. But on the map hollow and filled "
    "dots lie everywhere, though the report speaks of the same rows as last month. {right_training} of the "
    "training rows come right, by heart; of the validation rows {right}, by luck.",
    patches={
        "a": Patch(
            "64 hidden units in place of 16",
            {"width": "64"},
            "More units learn more of the noise by heart. New rows follow the true labels.",
        ),
        "b": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "Longer training learns wrong labels better.",
        ),
        "c": Patch(
            "a new permutation, `permutation(3)`, for the labels",
            {"targets": "permutation(3)"},
            "Another order of the labels is as wrong as the first.",
        ),
        "d": Patch(
            "`order` for the labels too",
            {"targets": "order"},
            "One order for both keeps each row with its label.",
            heals=True,
        ),
    },
    checks=(
        Check("validation loss", "validation", most=0.45),
        Check("validation rows right", "right", least=0.82, percent=True),
    ),
)

EXHIBITS = {"swing": SWING, "flicker": FLICKER, "floor": FLOOR, "strangers": STRANGERS}
