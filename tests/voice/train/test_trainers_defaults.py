"""Without options, a step of the trainers is bit for bit what a plain writing-out of it gives."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.voice.train.test_trainers_official import SOUND, acoustic, judge, lines, same, semantic, utterances
from voice.mel import linear_spectrogram
from voice.nets import losses
from voice.nets.layers import length_mask
from voice.train.acoustic import RESOLUTIONS, AcousticTrainer, AcousticWeights
from voice.train.guide import guide_loss
from voice.train.semantic import SemanticTrainer


def test_a_step_of_s1_without_options_is_what_it_was() -> None:
    items, rate = lines(), lambda n: 1e-3 / n
    ours, plain = semantic(), semantic()
    trainer = SemanticTrainer(
        ours, lambda n: items[n:], [], rate, guide=0.5, guided_layers=(1,), corrupt=0.3, autocast=False
    )
    optimiser = torch.optim.AdamW(plain.parameters(), lr=1e-4, betas=(0.9, 0.98), weight_decay=0.01)
    for number in (1, 2):
        torch.manual_seed(number)
        logs = trainer.step(number)
        torch.manual_seed(number)
        batch = items[number:]
        tokens, targets = torch.zeros(len(batch), 12, dtype=torch.long), torch.full((len(batch), 13), -100)
        phones, spoken = torch.zeros(len(batch), 6, dtype=torch.long), torch.full((len(batch), 13), -100)
        for row, item in enumerate(batch):
            size = len(item.tokens)
            assert item.spoken is not None
            tokens[row, :size], phones[row, : len(item.phones)] = item.tokens, item.phones
            targets[row, :size], targets[row, size], spoken[row, :size] = item.tokens, 12, item.spoken
        share = torch.rand(len(batch), 1) * 0.3
        hit, other = torch.rand(tokens.shape) < share, torch.randint_like(tokens, 12)
        stutter = F.pad(tokens[:, :-1], (1, 0))
        other = torch.where(torch.rand(tokens.shape) < 0.3, stutter, other)
        heard = torch.where(hit, other, tokens)
        counts = torch.tensor([len(item.phones) for item in batch])
        logits, maps = plain(phones, counts, heard, look=(1,))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
        wanted = int((targets >= 0).sum())
        optimiser.zero_grad()
        (loss / wanted + 0.5 * guide_loss(maps[0], spoken)).backward()
        nn.utils.clip_grad_norm_(list(plain.parameters()), 1.0)
        optimiser.param_groups[0]["lr"] = rate(number)
        optimiser.step()
        assert logs["loss"] == loss.item() / wanted and set(logs) == {"loss", "accuracy", "guide"}
        assert same(ours, plain)


def test_a_step_of_s2_without_options_is_what_it_was() -> None:
    items, c, w = utterances(), SOUND, AcousticWeights()
    ours, ours_judge, plain, plain_judge = acoustic(), judge(), acoustic(), judge()
    trainer = AcousticTrainer(
        ours, ours_judge, lambda n: items, [], w, lambda n: 1e-3, segment_frames=8, autocast=False
    )
    optimiser = torch.optim.AdamW(plain.parameters(), lr=1e-3, betas=(0.8, 0.99), eps=1e-9)
    other = torch.optim.AdamW(plain_judge.parameters(), lr=1e-3, betas=(0.8, 0.99), eps=1e-9)
    plain.train()
    for number in (1, 2):
        torch.manual_seed(number)
        logs = trainer.step(number)
        torch.manual_seed(number)
        wav = torch.stack([F.pad(item.wav, (0, 24 * c.hop - len(item.wav))) for item in items])
        codes = torch.stack([F.pad(item.codes, (0, 12 - len(item.codes))) for item in items])
        lengths, phones = torch.tensor([20, 24]), torch.stack([item.phones for item in items])
        spec = linear_spectrogram(wav, c.n_fft, c.hop, c.win)
        ge, mask = plain.reference(spec, lengths), length_mask(lengths, 24)
        assert plain.enc_q is not None
        z, _, logs_q = plain.enc_q(spec, mask, ge.detach())
        z_p = plain.flow(z, mask, ge)
        mean, logs_p, _, _ = plain.enc_p(plain.expand(codes), lengths, phones, torch.tensor([3, 3]), ge)
        prior = plain.flow(mean * mask, mask, ge, reverse=True) * mask
        starts = (torch.rand(2) * (lengths - 8 + 1)).long().tolist()
        cut = torch.stack([x[row, :, s : s + 8] for x in (z, prior) for row, s in enumerate(starts)])
        fake = plain.dec(cut, torch.cat([ge, ge]))
        real = torch.stack([wav[row, None, s * c.hop : (s + 8) * c.hop] for row, s in enumerate(starts)])
        other.zero_grad()
        losses.discriminator_loss(plain_judge(real), plain_judge(fake.detach())).backward()
        other.step()
        loss = w.mel * losses.mel_loss(fake[:2, 0], real[:, 0], c.sample_rate, RESOLUTIONS)
        loss = loss + w.prior * losses.mel_loss(fake[2:, 0], real[:, 0], c.sample_rate, RESOLUTIONS)
        loss = loss + w.kl * losses.kl_loss(z_p, logs_q, mean, logs_p, mask)
        judged, truth = plain_judge(fake), [[torch.cat([m, m]) for m in maps] for maps in plain_judge(real)]
        loss = loss + losses.feature_loss(truth, judged) + losses.adversarial_loss(judged)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(list(plain.parameters()), 100.0)
        optimiser.step()
        assert logs["loss"] == pytest.approx(loss.item(), rel=1e-6)
        names = {"loss", "gradient", "discriminator", "mel", "mel_prior", "kl", "pitch", "feature", "adversarial"}
        assert set(logs) == names
        assert same(ours, plain) and same(ours_judge, plain_judge)
