"""The published GPT-SoVITS versions with a flow decoder: v1, v2, v2Pro, v2ProPlus (specification 1.1, 2.1 and 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from voice.nets.acoustic import AcousticConfig
from voice.nets.discriminator import DiscriminatorConfig
from voice.nets.hubert import ContentConfig
from voice.nets.semantic import SemanticConfig

SPEAKER_WIDTH = 20480  # of ERes2NetV2: 2048 channels times 10 bands, averaged over time
PERIODS = (2, 3, 5, 7, 11)


@dataclass(frozen=True)
class Version:
    """Sizes of one published version; `phones` entries of its phone table are used."""

    name: str
    semantic: SemanticConfig
    acoustic: AcousticConfig
    discriminator: DiscriminatorConfig
    phones: int


def _hifigan(channels: int = 512, first_kernel: int = 16) -> dict[str, object]:
    return {"channels": channels, "rates": [10, 8, 2, 2, 2], "kernels": [first_kernel, 16, 8, 2, 2]}


_SEMANTIC = SemanticConfig(
    phones=732, codes=1024, hidden=512, heads=16, ffn=2048, layers=24, bert=1024, dropout=0.1
)  # fmt: skip
_ACOUSTIC = AcousticConfig(
    sample_rate=32000, n_fft=2048, hop=640, win=2048, mels=128, content=768, codes=1024, phones=732, inter=192,
    hidden=192, filters=768, heads=2, layers_ssl=3, layers_text=6, layers_joint=3, mrte=512, kernel=3,
    posterior_layers=16, flow_layers=4, flows=4, gin=512, reference_bins=704, reference_hidden=128, dropout=0.1,
    averages=True, decoder="hifigan", decoder_options=_hifigan(),
)  # fmt: skip
_PRO = replace(_ACOUSTIC, gin=1024, speaker=SPEAKER_WIDTH, dropout=0.0)
_DISCRIMINATOR = DiscriminatorConfig(
    periods=PERIODS,
    period_widths=(32, 128, 512, 1024, 1024),
    scale_layers=(
        (16, 15, 1, 1), (64, 41, 4, 4), (256, 41, 4, 16), (1024, 41, 4, 64), (1024, 41, 4, 256), (1024, 5, 1, 1)
    ),
)  # fmt: skip
_DISCRIMINATOR_PRO = replace(_DISCRIMINATOR, periods=(*PERIODS, 17, 23))

VERSIONS = {
    version.name: version
    for version in (
        # The text table of v1 has 512 rows in s1 and 322 in s2; its phones are the first 322 of the v2 table.
        Version(
            "v1",
            replace(_SEMANTIC, phones=512),
            replace(_ACOUSTIC, phones=322, reference_bins=1025),
            _DISCRIMINATOR,
            phones=322,
        ),
        Version("v2", _SEMANTIC, _ACOUSTIC, _DISCRIMINATOR, phones=732),
        Version("v2Pro", _SEMANTIC, _PRO, _DISCRIMINATOR_PRO, phones=732),
        Version(
            "v2ProPlus",
            _SEMANTIC,
            replace(_PRO, decoder_options=_hifigan(768, 20)),
            _DISCRIMINATOR_PRO,
            phones=732,
        ),
    )
}

# chinese-hubert-base: wave convolutions, 12 post-norm layers, the last of which gives the frames.
CONTENT = ContentConfig(
    front="conv", level=False, centre=False, pad=False, tail=0.6, stable=False, hidden=768, layers=12, heads=12,
    ffn=3072, conv_dim=(512,) * 7, conv_kernel=(10, 3, 3, 3, 3, 2, 2), conv_stride=(5, 2, 2, 2, 2, 2, 2),
    position_kernel=128, position_groups=16, feature_layer=12, dropout=0.1, units=0,
)  # fmt: skip
