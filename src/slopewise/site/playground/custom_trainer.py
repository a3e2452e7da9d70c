"""A Trainer whose update is written out; exported scripts that need it hold its source."""

from __future__ import annotations

import slopewise as sw


class CustomTrainer(sw.Trainer):  # type: ignore[misc]
    """Descends the loss plus `l1` times the sum of all weights' magnitudes; scores are of the loss alone.

    LBFGS computes what it descends several times in an update, and so is given a function.
    """

    l1 = 0.0

    def update(self, micro_batches, running):  # type: ignore[no-untyped-def]
        """Make one update, and return the running sums with its batch added."""
        x, y, _ = micro_batches[0]
        losses = []

        def closure():  # type: ignore[no-untyped-def]
            self.optimizer.zero_grad()
            loss = self.loss(self.model(x), y)
            losses.append(loss.detach())
            weights = [parameter for parameter in self.model.parameters() if parameter.ndim == 2]
            descended = loss + self.l1 * sum(sw.sum(sw.abs(weight)) for weight in weights)
            descended.backward()
            self.clip_gradients()
            return descended

        if isinstance(self.optimizer, sw.optim.LBFGS):
            self.optimizer.step(closure)
        else:
            closure()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        total, weight = running["loss"]
        added = (total + losses[0].astype("float64") * len(y), weight + len(y))
        return {**running, "loss": added}
