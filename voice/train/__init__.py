"""Fine-tuning loops, checkpoints and batches."""
