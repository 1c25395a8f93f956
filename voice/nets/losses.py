"""Losses of the acoustic training (specification 3.9); every spectral loss is computed in float32."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from voice.mel import log_mel

Judged = list[list[torch.Tensor]]


def discriminator_loss(real: Judged, fake: Judged) -> torch.Tensor:
    """Least squares: sum over networks of mean (1 - D(y))^2 + mean D(y_hat)^2."""
    total = torch.zeros(())
    for maps_real, maps_fake in zip(real, fake, strict=True):
        total = total + (1 - maps_real[-1].float()).square().mean() + maps_fake[-1].float().square().mean()
    return total


def adversarial_loss(fake: Judged) -> torch.Tensor:
    """Least squares for the generator: sum over networks of mean (1 - D(y_hat))^2."""
    return torch.stack([(1 - maps[-1].float()).square().mean() for maps in fake]).sum()


def feature_loss(real: Judged, fake: Judged) -> torch.Tensor:
    """Twice the sum over all layers (the judgement included) of the mean absolute difference."""
    total = torch.zeros(())
    for maps_real, maps_fake in zip(real, fake, strict=True):
        for a, b in zip(maps_real, maps_fake, strict=True):
            total = total + (a.float().detach() - b.float()).abs().mean()
    return 2 * total


def kl_loss(
    z_p: torch.Tensor, logs_q: torch.Tensor, mean_p: torch.Tensor, logs_p: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """KL of posterior and prior at the flowed sample, summed over channels, averaged over real frames."""
    z_p, logs_q, mean_p, logs_p = z_p.float(), logs_q.float(), mean_p.float(), logs_p.float()
    each = logs_p - logs_q - 0.5 + 0.5 * (z_p - mean_p).square() * torch.exp(-2 * logs_p)
    return (each * mask).sum() / mask.sum()


def mel_loss(fake: torch.Tensor, real: torch.Tensor, rate: int, sizes: tuple[tuple[int, int], ...]) -> torch.Tensor:
    """Mean absolute log-mel difference of audio [B, N], averaged over (n_fft, mels) resolutions, hop n_fft / 4."""
    parts = []
    for n_fft, mels in sizes:
        settings = (rate, n_fft, n_fft // 4, n_fft, mels)
        parts.append((log_mel(fake, *settings) - log_mel(real, *settings)).abs().mean())
    return torch.stack(parts).mean()


def pitch_loss(log_f0: torch.Tensor, voicing: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of log F0 over voiced frames plus half the cross-entropy of voicing.

    log_f0 and voicing logit [B, F] float32, f0 [B, F] in Hz with 0 where unvoiced.
    """
    voiced = f0 > 0
    off = (log_f0 - f0.clamp(min=1.0).log()).abs() * voiced
    tone = off.sum() / voiced.sum().clamp(min=1)
    return tone + 0.5 * F.binary_cross_entropy_with_logits(voicing, voiced.float())
