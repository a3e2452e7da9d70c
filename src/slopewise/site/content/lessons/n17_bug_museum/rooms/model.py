"""Third room: the model, its first weights, and who moves them."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.exhibit import Check, Exhibit, Patch

CLONES = Exhibit(
    name="The clones",
    report="16 hidden units, and it does no better than no hidden layer. It says the same for nearly all "
    "rows.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
«start»
optimizer = Adam(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"start": "fill(model, 0.0)", "rate": "0.05", "epochs": "25"},
    fault="start",
    instrument="units",
    look="Sixteen units should stand at sixteen places. And which layer hears from the loss?",
    diagnoses=(
        "The rate is too low for this layer",
        "All weights start equal, at zero",
        "The optimizer holds another model",
        "The rows are not shuffled",
    ),
    answer=1,
    because="The first layer's gradient is {first_gradient} and its units stand at one place. With zeros "
    "behind them, no unit makes a difference, so none gets a gradient. Only the last bias learns.",
    patches={
        "a": Patch(
            "`fill(model, 0.5)` in place of `fill(model, 0.0)`",
            {"start": "fill(model, 0.5)"},
            "Now gradients flow, and they are equal for all units. Sixteen copies of one unit move together.",
        ),
        "b": Patch(
            "`lr=0.5` in place of `lr=0.05`",
            {"rate": "0.5"},
            "Ten times nothing is nothing.",
        ),
        "c": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "Zero stays zero, however often it is added.",
        ),
        "d": Patch(
            "remove the line: keep the random first weights",
            {"start": ""},
            "Units that start apart get gradients of their own.",
            heals=True,
        ),
    },
    checks=(
        Check("hidden units: mean distance from their centre", "unlike", least=0.05),
        Check("validation loss", "validation", most=0.5),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

DARK = Exhibit(
    name="The dark room",
    report="Somebody gave me good first values for the biases. Since then it learns nothing but the share "
    "of classes.",
    data="moons",
    program="""
model = Sequential(Linear(2, «width»), ReLU(), Linear(«width», 2))
«bias»
optimizer = Adam(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"width": "16", "bias": "fill(model[0].bias, -10.0)", "rate": "0.05", "epochs": "25"},
    fault="bias",
    instrument="active",
    look="Is anything switched on behind the first layer?",
    diagnoses=(
        "A bias far below zero keeps every ReLU at 0",
        "All hidden units are copies of one another",
        "The first layer is detached from the loss",
        "The learning rate is too high",
    ),
    answer=0,
    because="{active} of the hidden outputs are on. Where a ReLU is 0 its slope is 0 too, so the first "
    "layer's gradient is {first_gradient}: there, but zero. A detached layer would have none.",
    patches={
        "a": Patch(
            "`lr=0.5` in place of `lr=0.05`",
            {"rate": "0.5"},
            "A gradient of zero times a larger rate is zero.",
        ),
        "b": Patch(
            "`fill(model[0].bias, 0.0)`",
            {"bias": "fill(model[0].bias, 0.0)"},
            "About half of the units are on for a row. A few may stay dark; the others do the work.",
            heals=True,
        ),
        "c": Patch(
            "64 units in place of 16",
            {"width": "64"},
            "Four times as many units, and all of them dark.",
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "Dead units do not wake up: no row gives them a slope.",
        ),
    },
    checks=(
        Check("length of the first layer's gradient", "first_gradient", least=1e-3),
        Check("share of hidden outputs that are on", "active", least=0.2, percent=True),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

ASLEEP = Exhibit(
    name="The sleeper",
    report="Small networks used to learn this. Mine gets part of the way and stops.",
    data="circles",
    program="""
body = Sequential(Linear(2, «width»), Tanh())
head = Linear(«width», 2)
model = Sequential(body, head)
optimizer = Adam(model.parameters(), lr=«rate»)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        hidden = body(xb)
        loss = cross_entropy(head(«input»), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"width": "6", "rate": "0.1", "epochs": "25", "input": "hidden.detach()"},
    fault="input",
    instrument="units",
    look="Follow the gradient back, layer by layer. Do the hidden units walk?",
    diagnoses=(
        "The hidden layer is dead: its outputs are all 0",
        "The rows are sorted by class",
        "The tape is cut: no gradient reaches the first layer",
        "The update goes the wrong way",
    ),
    answer=2,
    because="The last layer's gradient is there, the first layer has none at all, and its update over "
    "weight is {first_layer_ratio}. Not small: cut off.",
    patches={
        "a": Patch(
            "a wider body: 64 units in place of 6",
            {"width": "64"},
            "Enough random units can be read out as they are. The first layer sleeps all the same.",
        ),
        "b": Patch(
            "`lr=1.0` in place of `lr=0.1`",
            {"rate": "1.0"},
            "The last layer takes longer steps. The first one takes none.",
        ),
        "c": Patch(
            "`head(hidden)` in place of `head(hidden.detach())`",
            {"input": "hidden"},
            "The tape goes through, and the first layer learns.",
            heals=True,
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "The last layer has long done what it can with units that stand still.",
        ),
    },
    checks=(
        Check("first layer: update over weight", "first_layer_ratio", least=1e-7),
        Check("validation loss", "validation", most=0.4),
        Check("validation rows right", "right", least=0.85, percent=True),
    ),
)

STRAIGHT = Exhibit(
    name="The ruler's edge",
    report="Two layers, hundreds of updates, gradients everywhere. It is no better than tossing a coin.",
    data="circles",
    program="""
model = Sequential(Linear(2, «width»), «bend»Linear(«width», 2))
optimizer = Adam(model.parameters(), lr=0.05)
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        optimizer.zero_grad()
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={"width": "16", "bend": "", "epochs": "25"},
    fault="bend",
    instrument="map",
    look="Look at the shape of the border that the map draws, and at the rows.",
    diagnoses=(
        "The labels do not belong to their rows",
        "Nothing bends between the layers: together they are one linear layer",
        "The learning rate is too low",
        "The network is too narrow",
    ),
    answer=1,
    because="The classes lie in rings, so labels and rows belong together. The map's border is straight: "
    "two linear layers make one. {right} of the validation rows are right.",
    patches={
        "a": Patch(
            "`Linear(16, 16)` in between: one layer more",
            {"bend": "Linear(16, 16), "},
            "Three linear layers make one, too.",
        ),
        "b": Patch(
            "64 units in place of 16",
            {"width": "64"},
            "A wider straight line is a straight line.",
        ),
        "c": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "The best straight line was found long ago.",
        ),
        "d": Patch(
            "`Tanh()` in between",
            {"bend": "Tanh(), "},
            "A bend in every unit, and their sum can close a ring.",
            heals=True,
        ),
    },
    checks=(
        Check("validation loss", "validation", most=0.4),
        Check("validation rows right", "right", least=0.85, percent=True),
    ),
)

DEAF = Exhibit(
    name="The deaf one",
    report="Gradients flow, the learning rate is as always. The loss has not moved since the first epoch.",
    data="moons",
    program="""
model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))
optimizer = Adam(model.parameters(), lr=«rate»)
«again»
«anew»
for epoch in range(«epochs»):
    for xb, yb in batches(X_train, y_train):
        «reset»
        loss = cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        log(model, loss)
""",
    broken={
        "rate": "0.05",
        "again": "model = Sequential(Linear(2, 16), Tanh(), Linear(16, 2))  # a fresh start",
        "anew": "",
        "epochs": "25",
        "reset": "optimizer.zero_grad()",
    },
    fault="again",
    instrument="units",
    look="Two instruments that usually move together do not: gradients, and updates.",
    diagnoses=(
        "`zero_grad()` stands at the wrong place",
        "The first layer is frozen",
        "All weights start at zero",
        "The optimizer moves the parameters of another model",
    ),
    answer=3,
    because="Both layers have gradients, up to {last_gradient}, and both updates are {first_layer_ratio}. "
    "The optimizer steps, but not on these weights. It resets others, too: the gradients pile up.",
    patches={
        "a": Patch(
            "`lr=0.5` in place of `lr=0.05`",
            {"rate": "0.5"},
            "Larger steps of the model that nobody looks at.",
        ),
        "b": Patch(
            "a new optimizer after the second model",
            {"anew": "optimizer = Adam(model.parameters(), lr=0.05)"},
            "It holds the parameters that are trained.",
            heals=True,
        ),
        "c": Patch(
            "`model.zero_grad()` in place of `optimizer.zero_grad()`",
            {"reset": "model.zero_grad()"},
            "The gradients no longer pile up, and the weights still do not move.",
        ),
        "d": Patch(
            "three times as many `epochs`",
            {"epochs": "75"},
            "Nothing moves, three times as long.",
        ),
    },
    checks=(
        Check("first layer: update over weight", "first_layer_ratio", least=1e-7),
        Check("distance of the stored gradient from the batch's own, in its lengths", "astray", most=0.01),
        Check("validation rows right", "right", least=0.8, percent=True),
    ),
)

EXHIBITS = {"clones": CLONES, "dark": DARK, "sleeper": ASLEEP, "edge": STRAIGHT, "deaf": DEAF}
