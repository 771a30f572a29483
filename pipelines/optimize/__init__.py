"""One optimizer step: parameter groups, rates, clipping and the optimizers themselves."""
