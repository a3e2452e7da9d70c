"""A Trainer for LBFGS, whose step computes the loss again and again; exported scripts hold its source."""

from __future__ import annotations

import slopewise as sw


class ClosureTrainer(sw.Trainer):  # type: ignore[misc]
    """Gives the optimizer a function that computes loss and gradients of the batch anew."""

    def update(self, micro_batches, running):  # type: ignore[no-untyped-def]
        """Make one update, and return the running sums with its batch added."""
        x, y, _ = micro_batches[0]

        def closure():  # type: ignore[no-untyped-def]
            self.optimizer.zero_grad()
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.clip_gradients()
            return loss

        loss = self.optimizer.step(closure)
        total, weight = running["loss"]
        added = (total + loss.detach().astype("float64") * len(y), weight + len(y))
        return {**running, "loss": added}
