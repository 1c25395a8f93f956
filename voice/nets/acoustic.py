"""s2: semantic tokens, phones and a reference spectrogram to a waveform (specification section 3).

- prior `enc_p`: token encoder, phone encoder, MRTE cross-attention, second encoder
- frozen quantiser behind a stride-2 projection of content features (50 -> 25 tokens/s)
- reference encoder: timbre and style as one vector, in v2Pro with a speaker embedding added
- posterior encoder, for training alone, and flow
- decoder by name (`voice.nets.generator`)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from voice.nets.generator import make_decoder
from voice.nets.layers import Attention, Encoder, WaveNet, length_mask
from voice.nets.stored import Stored


@dataclass(frozen=True)
class AcousticConfig:
    """Sizes and signal settings. The defaults are the mini base; `voice.nets.official` has the published sizes.

    `speaker` is the width of a speaker embedding that joins the reference (0: none); `averages` keeps the running
    means of the codebook, which the published files hold; `posterior` False leaves out what training alone needs.
    """

    sample_rate: int = 24000
    n_fft: int = 1024
    hop: int = 480
    win: int = 1024
    mels: int = 80
    content: int = 102
    codes: int = 512
    phones: int = 732
    inter: int = 96
    hidden: int = 128
    filters: int = 320
    heads: int = 2
    layers_ssl: int = 2
    layers_text: int = 2
    layers_joint: int = 2
    mrte: int = 192
    kernel: int = 3
    posterior_layers: int = 4
    flow_layers: int = 2
    flows: int = 4
    gin: int = 192
    reference_bins: int = 352
    reference_hidden: int = 128
    dropout: float = 0.05
    speaker: int = 0
    averages: bool = False
    posterior: bool = True
    decoder: str = "envelope"
    decoder_options: dict[str, Any] = field(
        default_factory=lambda: {"channels": 256, "blocks": 5, "n_fft": 1024, "mels": 80}
    )

    @property
    def bins(self) -> int:
        return self.n_fft // 2 + 1


class Quantiser(nn.Module):
    """Euclidean codebook, one residual level, frozen: no gradient and no moving average.

    With `averages` it carries what moved the published codebook while that was trained, unused and unchanged.
    """

    embed: torch.Tensor

    def __init__(self, codes: int, dim: int, averages: bool = False) -> None:
        super().__init__()
        self.register_buffer("embed", torch.randn(codes, dim))
        if averages:
            self.register_buffer("inited", torch.ones(1))
            self.register_buffer("cluster_size", torch.zeros(codes))
            self.register_buffer("embed_avg", self.embed.clone())

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """[B, D, T] -> nearest codes [B, T]; computed in float32."""
        flat = x.float().transpose(1, 2)
        table = self.embed.float()
        return (2 * flat @ table.T - table.square().sum(-1)).argmax(-1)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, D, T]."""
        return F.embedding(codes, self.embed).transpose(1, 2)


class Mrte(nn.Module):
    """Tokens attend to phones; the condition is added (specification 3.3)."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        self.c_pre = nn.Conv1d(config.hidden, config.mrte, 1)
        self.text_pre = nn.Conv1d(config.hidden, config.mrte, 1)
        self.cross_attention = Attention(config.mrte, 4)
        self.c_post = nn.Conv1d(config.mrte, config.hidden, 1)
        self.condition = nn.Linear(config.gin, config.mrte) if config.gin != config.mrte else nn.Identity()

    def forward(
        self,
        y: torch.Tensor,
        y_mask: torch.Tensor,
        text: torch.Tensor,
        text_mask: torch.Tensor,
        ge: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames [B, hidden, T] that have seen the text, and what the first head looked at, [B, T, S]."""
        query = self.c_pre(y * y_mask)
        visible = text_mask.unsqueeze(2)  # [B, 1, 1, S]: every frame sees every real phone
        seen, weights = self.cross_attention.look(query * y_mask, self.text_pre(text * text_mask), visible)
        style = self.condition(ge.transpose(1, 2)).transpose(1, 2)
        return self.c_post((seen + query + style) * y_mask), weights[:, 0]


class Prior(nn.Module):
    """`enc_p`: quantised content and phones -> mean and log scale of the latent."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        sizes = (config.hidden, config.filters, config.heads)
        self.ssl_proj = nn.Conv1d(config.content, config.hidden, 1)
        self.encoder_ssl = Encoder(*sizes, config.layers_ssl, config.kernel, config.dropout)
        self.text_embedding = nn.Embedding(config.phones, config.hidden)
        self.encoder_text = Encoder(*sizes, config.layers_text, config.kernel, config.dropout)
        self.mrte = Mrte(config)
        self.encoder2 = Encoder(*sizes, config.layers_joint, config.kernel, config.dropout)
        self.proj = nn.Conv1d(config.hidden, 2 * config.inter, 1)
        nn.init.normal_(self.text_embedding.weight, 0.0, config.hidden**-0.5)

    def forward(
        self,
        quantised: torch.Tensor,
        lengths: torch.Tensor,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        ge: torch.Tensor,
        speed: float = 1.0,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """[B, D, T], [B], [B, P], [B], [B, gin, 1] -> mean and log scale [B, inter, T'], mask [B, 1, T'].

        The fourth is the attention of MRTE's first head to the phones, [B, T, P], for guidance in training.
        """
        mask = length_mask(lengths, quantised.shape[2])
        y, looked = self.encoded(quantised, mask, phones, length_mask(phone_lengths, phones.shape[1]), ge)
        if speed != 1:
            size = int(y.shape[2] / speed) + 1
            y = F.interpolate(y, size=size, mode="linear")
            mask = F.interpolate(mask, size=size, mode="nearest")
        mean, logs = (self.proj(y) * mask).chunk(2, dim=1)
        return mean, logs, mask, looked

    def encoded(
        self,
        quantised: torch.Tensor,
        mask: torch.Tensor,
        phones: torch.Tensor,
        text_mask: torch.Tensor,
        ge: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, D, T], [B, 1, T], [B, P], [B, 1, P], [B, gin, 1] -> frames [B, hidden, T], MRTE's attention [B, T, P]."""
        y = self.encoder_ssl(self.ssl_proj(quantised * mask) * mask, mask)
        text = self.encoder_text(self.text_embedding(phones).transpose(1, 2) * text_mask, text_mask)
        y, looked = self.mrte(y, mask, text, text_mask, ge)
        return self.encoder2(y, mask), looked


class Reference(nn.Module):
    """MelStyleEncoder: linear spectrogram [B, bins, T] -> one vector [B, gin, 1] (specification 3.5)."""

    def __init__(self, bins: int, hidden: int, gin: int, dropout: float) -> None:
        super().__init__()
        self.bins = bins
        self.spectral = nn.ModuleList([nn.Linear(bins, hidden), nn.Linear(hidden, hidden)])
        self.temporal = nn.ModuleList(nn.Conv1d(hidden, 2 * hidden, 5, padding=2) for _ in range(2))
        self.query, self.key, self.value = (nn.Linear(hidden, hidden) for _ in range(3))
        self.out = nn.Linear(hidden, hidden)
        self.fc = nn.Linear(hidden, gin)
        self.drop = nn.Dropout(dropout)
        self.scale = hidden**-0.5

    def forward(self, spec: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = spec[:, : self.bins].transpose(1, 2)
        for linear in self.spectral:
            x = self.drop(F.mish(linear(x)))
        x = x.transpose(1, 2)
        for conv in self.temporal:
            x = x + self.drop(F.glu(conv(x), dim=1))
        x = (x * mask).transpose(1, 2)
        batch, steps, width = x.shape

        def heads(y: torch.Tensor) -> torch.Tensor:
            return y.view(batch, steps, 2, width // 2).transpose(1, 2)

        score = heads(self.query(x)) @ heads(self.key(x)).transpose(-2, -1) * self.scale
        weight = score.masked_fill(mask.unsqueeze(2) == 0, -1e4).float().softmax(-1).to(x.dtype)
        x = x + self.out((weight @ heads(self.value(x))).transpose(1, 2).reshape(batch, steps, width))
        x = self.fc(x).transpose(1, 2).float() * mask
        return (x / mask.sum(-1, keepdim=True).clamp(min=1)).sum(-1, keepdim=True)


class Posterior(nn.Module):
    """`enc_q`: spectrogram -> latent sample, mean and log scale."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        self.pre = nn.Conv1d(config.bins, config.hidden, 1)
        self.enc = WaveNet(config.hidden, 5, config.posterior_layers, config.gin)
        self.proj = nn.Conv1d(config.hidden, 2 * config.inter, 1)

    def forward(
        self, spec: torch.Tensor, mask: torch.Tensor, ge: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        stats = self.proj(self.enc(self.pre(spec) * mask, mask, ge)) * mask
        mean, logs = stats.float().chunk(2, dim=1)
        return (mean + torch.randn_like(mean) * logs.exp()) * mask, mean, logs


class Coupling(nn.Module):
    """Mean-only affine coupling; its inverse is exact."""

    def __init__(self, inter: int, hidden: int, layers: int, gin: int) -> None:
        super().__init__()
        self.side = inter // 2
        self.pre = nn.Conv1d(self.side, hidden, 1)
        self.enc = WaveNet(hidden, 5, layers, gin)
        self.post = nn.Conv1d(hidden, self.side, 1)
        nn.init.zeros_(self.post.weight)
        nn.init.zeros_(self.post.bias)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor, mask: torch.Tensor, ge: torch.Tensor, reverse: bool) -> torch.Tensor:
        first, second = x.split(self.side, dim=1)
        shift = (self.post(self.enc(self.pre(first) * mask, mask, ge)) * mask).float()
        second = (second - shift) * mask if reverse else shift + second * mask
        return torch.cat([first, second], dim=1)


class Flow(nn.Module):
    """Couplings with channel reversal between them."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        sizes = (config.inter, config.hidden, config.flow_layers, config.gin)
        self.flows = nn.ModuleList(Coupling(*sizes) for _ in range(config.flows))

    def forward(self, x: torch.Tensor, mask: torch.Tensor, ge: torch.Tensor, reverse: bool = False) -> torch.Tensor:
        if reverse:
            for layer in reversed(self.flows):
                x = layer(x.flip(1), mask, ge, True)
        else:
            for layer in self.flows:
                x = layer(x, mask, ge, False).flip(1)
        return x


class Acoustic(Stored):
    """The s2 generator."""

    kind, config_class = "acoustic", AcousticConfig
    config: AcousticConfig

    def __init__(self, config: AcousticConfig | None = None) -> None:
        c = config or AcousticConfig()
        super().__init__(c)
        self.ssl_proj = nn.Conv1d(c.content, c.content, 2, stride=2)
        self.quantiser = Quantiser(c.codes, c.content, c.averages)
        self.enc_p = Prior(c)
        self.ref_enc = Reference(c.reference_bins, c.reference_hidden, c.gin, 0.1)
        self.enc_q = Posterior(c) if c.posterior and c.decoder != "envelope" else None  # its latents need none
        self.flow = Flow(c)
        self.dec = make_decoder(c.decoder, c.inter, c.gin, c.sample_rate, c.hop, c.decoder_options)
        if c.speaker:
            self.speaker_proj = nn.Linear(c.speaker, c.gin)
            self.prelu = nn.PReLU(c.gin)

    @torch.no_grad()
    def extract_latent(self, ssl: torch.Tensor) -> torch.Tensor:
        """Content frames [B, D, T] -> semantic tokens [B, 1, floor(T/2)]."""
        return self.quantiser.encode(self.ssl_proj(ssl.float())).unsqueeze(1)

    def reference(
        self, spec: torch.Tensor, lengths: torch.Tensor | None = None, speaker: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Reference spectrogram [B, bins, T], and speaker embedding [B, S] for v2Pro -> condition [B, gin, 1].

        Several references are joined by the mean of their conditions. Raises ValueError when the embedding that this
        network needs is not given, or given to one that has no use for it.
        """
        if (speaker is None) == bool(self.config.speaker):
            raise ValueError("a speaker embedding is needed by networks made for one, and by no other")
        if lengths is None:
            lengths = torch.full((spec.shape[0],), spec.shape[2], device=spec.device)
        ge = self.ref_enc(spec, length_mask(lengths, spec.shape[2]))
        return ge if speaker is None else self.prelu(ge + self.speaker_proj(speaker)[..., None])

    def expand(self, codes: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T] -> content frames [B, D, 2T] (each token twice: 25 -> 50 frames/s)."""
        return self.quantiser.decode(codes).repeat_interleave(2, dim=2)

    @torch.no_grad()
    def decode(
        self,
        codes: torch.Tensor,
        phones: torch.Tensor,
        ge: torch.Tensor,
        noise_scale: float = 0.5,
        speed: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Tokens [1, n] and phones [1, P] -> audio [1, 1, N]; N = 2n * hop at speed 1 (specification 3.8)."""
        quantised = self.expand(codes)
        lengths = torch.tensor([quantised.shape[2]], device=codes.device)
        count = torch.tensor([phones.shape[1]], device=codes.device)
        mean, logs, mask, _ = self.enc_p(quantised, lengths, phones, count, ge, speed)
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)
        z = self.flow(mean + noise * logs.exp() * noise_scale, mask, ge, reverse=True)
        return self.dec(z * mask, ge)
