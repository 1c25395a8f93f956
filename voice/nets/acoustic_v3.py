"""s2 of v3 and v4: tokens, phones and a reference to a mel by flow matching, and v4's vocoder (specification 3.10).

Quantiser, prior and reference encoder are those of v2. Their frames go through a bridge, are stretched to the rate of
the mel and refined; a diffusion transformer then continues the reference's mel along them (`flow_matching`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from voice.nets.acoustic import AcousticConfig, Prior, Quantiser, Reference
from voice.nets.flow_matching import Dit, sample
from voice.nets.generator import HifiGan
from voice.nets.layers import WaveNet, length_mask
from voice.nets.stored import Stored

MEL_LOW, MEL_HIGH = -12.0, 2.0  # natural log mel that becomes -1 and 1


@dataclass(frozen=True)
class AcousticV3Config:
    """Sizes and signal settings; the defaults are v4, `official_v3` has v3's. All weights have the same shapes in both.

    - `sample_rate`, `n_fft`, `hop`: of the linear spectrogram that the reference encoder takes
    - `mel_rate`, `mel_n_fft` (also the window), `mel_hop`, `mels`: of the mel; `output_rate`: of its vocoder
    - `stretch`: mel frames for one of the prior's 50 frames/s; `token_frames`: those of a token that count as real
    - `window`, `prompt`: most frames in one sampling, and most of them that are prompt; `steps`: Euler steps
    """

    version: str = "v4"
    sample_rate: int = 32000
    n_fft: int = 2048
    hop: int = 640
    mel_rate: int = 32000
    mel_n_fft: int = 1280
    mel_hop: int = 320
    mels: int = 100
    output_rate: int = 48000
    stretch: float = 2.0
    token_frames: float = 4.0
    window: int = 1000
    prompt: int = 500
    steps: int = 8
    content: int = 768
    codes: int = 1024
    phones: int = 732
    hidden: int = 192
    filters: int = 768
    heads: int = 2
    layers_ssl: int = 3
    layers_text: int = 6
    layers_joint: int = 3
    mrte: int = 512
    kernel: int = 3
    gin: int = 512
    reference_bins: int = 704
    reference_hidden: int = 128
    dropout: float = 0.1
    width: int = 512
    refine_layers: int = 8
    dit_dim: int = 1024
    dit_depth: int = 22
    dit_heads: int = 16
    dit_filters: int = 2048
    condition_depth: int = 4

    def prior(self) -> AcousticConfig:
        """The same sizes as the shared prior knows them."""
        return AcousticConfig(
            content=self.content, codes=self.codes, phones=self.phones, inter=self.hidden, hidden=self.hidden,
            filters=self.filters, heads=self.heads, layers_ssl=self.layers_ssl, layers_text=self.layers_text,
            layers_joint=self.layers_joint, mrte=self.mrte, kernel=self.kernel, gin=self.gin, dropout=self.dropout,
        )  # fmt: skip


def official_v3() -> AcousticV3Config:
    """The published v3: 93.75 mel frames/s at 24 kHz, for BigVGAN."""
    return AcousticV3Config(
        version="v3", mel_rate=24000, mel_n_fft=1024, mel_hop=256, output_rate=24000, stretch=1.875,
        token_frames=3.875, window=934, prompt=468, steps=32,
    )  # fmt: skip


def official_v4() -> AcousticV3Config:
    """The published v4: 100 mel frames/s at 32 kHz, for `vocoder_v4` at 48 kHz."""
    return AcousticV3Config()


def vocoder_v4() -> HifiGan:
    """v4's vocoder: log mel [B, 100, F] -> audio at 48 kHz [B, 1, 480 F]; plain weights (specification 3.10)."""
    return HifiGan(100, 0, 512, (10, 6, 2, 2, 2), (20, 12, 4, 4, 4), post_bias=True, norm=False)


def normalise(mel: torch.Tensor) -> torch.Tensor:
    """Natural log mel of any shape -> the scale of the flow, -12..2 becoming -1..1; nothing is clipped."""
    return (mel - MEL_LOW) / (MEL_HIGH - MEL_LOW) * 2 - 1


def denormalise(mel: torch.Tensor) -> torch.Tensor:
    """The inverse of `normalise`."""
    return (mel + 1) / 2 * (MEL_HIGH - MEL_LOW) + MEL_LOW


class FramePrior(Prior):
    """`enc_p` up to the frames before its projection, which is in the files but not used here."""

    def frames(self, quantised: torch.Tensor, phones: torch.Tensor, ge: torch.Tensor, speed: float) -> torch.Tensor:
        """[B, D, T], [B, P], [B, gin, 1], none padded -> [B, hidden, T], floor(T / speed) + 1 at a speed not 1."""
        mask = quantised.new_ones(quantised.shape[0], 1, quantised.shape[2])
        y, _ = self.encoded(quantised, mask, phones, mask.new_ones(phones.shape[0], 1, phones.shape[1]), ge)
        return y if speed == 1 else F.interpolate(y, size=int(y.shape[2] / speed) + 1, mode="linear")


class Refiner(nn.Module):
    """`wns1`: a WaveNet stack over the stretched frames; the condition gets no gradient."""

    def __init__(self, width: int, layers: int, gin: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(width, width, 1)
        self.enc = WaveNet(width, 5, layers, gin)
        self.proj = nn.Conv1d(width, width, 1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor, ge: torch.Tensor) -> torch.Tensor:
        """[B, width, F], [B, 1, F], [B, gin, 1] -> [B, width, F]."""
        return self.proj(self.enc(self.pre(x) * mask, mask, ge.detach())) * mask


class AcousticV3(Stored):
    """The s2 generator of v3 and v4."""

    kind, config_class = "acoustic_v3", AcousticV3Config
    config: AcousticV3Config

    def __init__(self, config: AcousticV3Config | None = None) -> None:
        c = config or AcousticV3Config()
        super().__init__(c)
        self.ssl_proj = nn.Conv1d(c.content, c.content, 2, stride=2)
        self.quantiser = Quantiser(c.codes, c.content, averages=True)
        self.enc_p = FramePrior(c.prior())
        self.ref_enc = Reference(c.reference_bins, c.reference_hidden, c.gin, 0.1)
        self.bridge = nn.Sequential(nn.Conv1d(c.hidden, c.width, 1), nn.LeakyReLU(0.01))
        self.wns1 = Refiner(c.width, c.refine_layers, c.gin)
        self.linear_mel = nn.Conv1d(c.width, c.mels, 1)  # not used; fine-tuned files carry it
        self.dit = Dit(
            c.mels, c.width, c.dit_dim, c.dit_depth, c.dit_heads, c.dit_filters, c.condition_depth, c.dropout
        )  # fmt: skip

    @torch.no_grad()
    def extract_latent(self, ssl: torch.Tensor) -> torch.Tensor:
        """Content frames [B, D, T] -> semantic tokens [B, 1, floor(T/2)], int64."""
        return self.quantiser.encode(self.ssl_proj(ssl.float())).unsqueeze(1)

    def reference(self, spec: torch.Tensor) -> torch.Tensor:
        """Linear spectrogram [B, bins, T] (specification 3.2) -> condition [B, gin, 1]."""
        return self.ref_enc(spec, spec.new_ones(spec.shape[0], 1, spec.shape[2]))

    def features(self, codes: torch.Tensor, phones: torch.Tensor, ge: torch.Tensor, speed: float = 1.0) -> torch.Tensor:
        """Tokens [B, n], their phones [B, P] and the condition [B, gin, 1] -> features [B, width, F].

        F is floor(stretch * 2n) at speed 1: 3.75n in v3, 4n in v4. Raises ValueError unless speed is above 0.
        """
        if speed <= 0:
            raise ValueError(f"speed is {speed}: it must be above 0")
        quantised = self.quantiser.decode(codes).repeat_interleave(2, dim=2)
        x = self.bridge(self.enc_p.frames(quantised, phones, ge, speed))
        x = F.interpolate(x, scale_factor=self.config.stretch, mode="nearest")
        real = self.config.token_frames * codes.shape[1]
        # At another speed the count can be one short of the features, in v3 for few tokens only: the last is then zero.
        count = int(real) if speed == 1 else int(real / speed) + 1
        mask = length_mask(torch.full((x.shape[0],), count, device=x.device), x.shape[2]).to(x.dtype)
        return self.wns1(x, mask, ge)

    @torch.no_grad()
    def extend(
        self,
        features: torch.Tensor,
        prompt_features: torch.Tensor,
        prompt_mel: torch.Tensor,
        steps: int | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Features [1, width, F] -> natural log mel [1, mels, F], continuing the prompt's.

        The prompt is given as features [1, width, A] and natural log mel [1, mels, B]; their first min(A, B) frames
        are taken, and of those the last `config.prompt`. What does not fit in one sampling is made in pieces, the end
        of each being the next one's prompt (specification 3.10).
        Raises ValueError on an empty prompt or text, or without a step.
        """
        shorter = min(prompt_features.shape[2], prompt_mel.shape[2])
        if shorter == 0:
            raise ValueError("v3 and v4 need a reference with its text: the prompt is empty")
        first = max(0, shorter - self.config.prompt)
        known, mel = prompt_features[..., first:shorter], normalise(prompt_mel[..., first:shorter])
        count = self.config.steps if steps is None else steps
        size, made = known.shape[2], []
        for piece in features.split(self.config.window - size, dim=2):
            joined = torch.cat([known, piece], dim=2)
            done = sample(self.dit, joined, mel, count, temperature, generator=generator)
            made.append(done[..., mel.shape[2] :])
            known, mel = piece[..., -size:], made[-1][..., -size:]
        return denormalise(torch.cat(made, dim=2))


# Beginning of our name -> of the published one; `*` is a layer's number. What is not here is called the same.
_NAMES = {
    "quantiser.": "quantizer.vq.layers.0._codebook.",
    "ref_enc.spectral.0.": "ref_enc.spectral.0.fc.",
    "ref_enc.spectral.1.": "ref_enc.spectral.3.fc.",
    "ref_enc.temporal.*.": "ref_enc.temporal.*.conv1.conv.",
    "ref_enc.query.": "ref_enc.slf_attn.w_qs.",
    "ref_enc.key.": "ref_enc.slf_attn.w_ks.",
    "ref_enc.value.": "ref_enc.slf_attn.w_vs.",
    "ref_enc.out.": "ref_enc.slf_attn.fc.",
    "ref_enc.fc.": "ref_enc.fc.fc.",
    "dit.inv_freq": "cfm.estimator.rotary_embed.inv_freq",
    "dit.time.": "cfm.estimator.time_embed.time_mlp.",
    "dit.step.": "cfm.estimator.d_embed.time_mlp.",
    "dit.condition.*.depthwise.": "cfm.estimator.text_embed.text_blocks.*.dwconv.",
    "dit.condition.*.norm.": "cfm.estimator.text_embed.text_blocks.*.norm.",
    "dit.condition.*.up.": "cfm.estimator.text_embed.text_blocks.*.pwconv1.",
    "dit.condition.*.response.": "cfm.estimator.text_embed.text_blocks.*.grn.",
    "dit.condition.*.down.": "cfm.estimator.text_embed.text_blocks.*.pwconv2.",
    "dit.join.": "cfm.estimator.input_embed.proj.",
    "dit.position.0.": "cfm.estimator.input_embed.conv_pos_embed.conv1d.0.",
    "dit.position.1.": "cfm.estimator.input_embed.conv_pos_embed.conv1d.2.",
    "dit.blocks.*.modulate.": "cfm.estimator.transformer_blocks.*.attn_norm.linear.",
    "dit.blocks.*.query.": "cfm.estimator.transformer_blocks.*.attn.to_q.",
    "dit.blocks.*.key.": "cfm.estimator.transformer_blocks.*.attn.to_k.",
    "dit.blocks.*.value.": "cfm.estimator.transformer_blocks.*.attn.to_v.",
    "dit.blocks.*.out.": "cfm.estimator.transformer_blocks.*.attn.to_out.0.",
    "dit.blocks.*.feed.0.": "cfm.estimator.transformer_blocks.*.ff.ff.0.0.",
    "dit.blocks.*.feed.3.": "cfm.estimator.transformer_blocks.*.ff.ff.2.",
    "dit.modulate.": "cfm.estimator.norm_out.linear.",
    "dit.out.": "cfm.estimator.proj_out.",
}


def official_key(ours: str) -> str:
    """Name in the published files of a tensor of `AcousticV3`'s state dict; one to one (specification 3.10)."""
    weight = ".parametrizations.weight.original"
    ours = ours.replace(f"{weight}0", ".weight_g").replace(f"{weight}1", ".weight_v")
    for start, official in _NAMES.items():
        found = re.match(re.escape(start).replace(r"\*", r"(\d+)"), ours)
        if found:
            return official.replace("*", found[1] if found.groups() else "") + ours[found.end() :]
    return ours
