"""The published versions: names, shapes and counts of every network, and what they compute from made-up weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.golden import check, error, fill_module, ints, keys, load, u
from voice.mel import linear_spectrogram, log_mel, mel_from_linear
from voice.nets import losses
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator
from voice.nets.hubert import ContentEncoder
from voice.nets.layers import length_mask
from voice.nets.official import CONTENT, VERSIONS
from voice.nets.official_names import ACOUSTIC, DISCRIMINATOR, SEMANTIC, Rows, from_official, official_name, to_official
from voice.nets.sampling import Sampling, discourage, probabilities
from voice.nets.semantic import Semantic
from voice.train.semantic import token_loss

GREEDY = Sampling(top_k=1)
NETWORKS = [
    ("s1_keys_v1", Semantic, VERSIONS["v1"].semantic, SEMANTIC, 77_493_762),
    ("s1_keys", Semantic, VERSIONS["v2"].semantic, SEMANTIC, 77_606_402),
    ("s2_v1_keys", Acoustic, VERSIONS["v1"].acoustic, ACOUSTIC, 52_846_337),
    ("s2_v2_keys", Acoustic, VERSIONS["v2"].acoustic, ACOUSTIC, 52_883_969),
    ("s2_v2pro_keys", Acoustic, VERSIONS["v2Pro"].acoustic, ACOUSTIC, 81_001_985),
    ("s2_v2proplus_keys", Acoustic, VERSIONS["v2ProPlus"].acoustic, ACOUSTIC, 99_912_321),
    ("s2D_keys", Discriminator, VERSIONS["v2"].discriminator, DISCRIMINATOR, 46_747_132),
    ("s2D_v2pro_keys", Discriminator, VERSIONS["v2Pro"].discriminator, DISCRIMINATOR, 63_189_440),
]


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("listed", "network", "config", "rows", "elements"), NETWORKS, ids=[n[0] for n in NETWORKS])
def test_every_name_and_shape_is_the_published_one(
    listed: str, network: type[nn.Module], config: object, rows: Rows, elements: int
) -> None:
    with torch.device("meta"):
        state = network(config).state_dict()
    published = keys(listed)
    assert {name: tuple(t.shape) for name, t in to_official(state, rows).items()} == published
    assert sum(t.numel() for t in state.values()) == elements
    back = from_official(to_official(state, rows), state, rows)
    assert {name: t.shape for name, t in back.items()} == {name: t.shape for name, t in state.items()}


def test_a_name_that_the_network_lacks_keeps_its_published_form() -> None:
    tensor = torch.zeros(1)
    assert from_official({"model.new.weight": tensor}, ["predict.weight"], SEMANTIC) == {"model.new.weight": tensor}


def test_the_published_hubert_has_its_size() -> None:
    with torch.device("meta"):
        state = ContentEncoder(CONTENT).state_dict()
    # Counted from its published config: 94,371,712 weights, of which 768 stand for masked frames in its training.
    assert sum(t.numel() for name, t in state.items() if name.startswith("hubert.")) == 94_371_712
    assert all(name.startswith("hubert.") for name in state)


@pytest.fixture(scope="module")
def semantic() -> Iterator[Semantic]:
    made = Semantic(VERSIONS["v2"].semantic).eval()
    fill_module(made, lambda key: official_name(key, SEMANTIC))
    yield made


@torch.no_grad()
def test_s1_gives_the_published_logits_and_loss(semantic: Semantic) -> None:
    golden = load("s1")
    phones, tokens = ints("s1.x", [1, 12], 732), ints("s1.y", [1, 9], 1024)
    bert = u("s1.bert", [1, 1024, 12]).transpose(1, 2)
    embedded = [semantic.embed_text(phones, bert), semantic.audio_position(semantic.audio_embedding(tokens))]
    check(golden["embed_xy"], torch.cat(embedded, dim=1))
    seen: list[torch.Tensor] = []
    hook = semantic.layers[-1].register_forward_hook(lambda module, given, out: seen.append(out[0]))
    logits, _ = semantic(phones, torch.tensor([12]), tokens, bert)
    hook.remove()
    check(golden["hidden"], seen[0])
    check(golden["logits_from_last_text_position"], logits)
    loss = token_loss(logits, tokens, torch.tensor([9]), 1024)
    assert F.pad(tokens, (0, 1), value=1024).tolist() == golden["targets"]
    assert loss.item() == pytest.approx(golden["ce_sum_loss_single"], rel=1e-3)


@torch.no_grad()
def test_a_batch_of_unequal_lines_loses_the_sum_of_its_lines(semantic: Semantic) -> None:
    phones, tokens = ints("s1.x", [2, 12], 732), ints("s1.y", [2, 9], 1024)
    bert = u("s1.bert", [2, 12, 1024])
    counts, lengths = torch.tensor([9, 6]), torch.tensor([12, 7])
    together = token_loss(semantic(phones, lengths, tokens, bert)[0], tokens, counts, 1024)
    alone = torch.zeros(())
    for row, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        line = tokens[row : row + 1, :count]
        logits, _ = semantic(phones[row : row + 1, :length], length[None], line, bert[row : row + 1, :length])
        alone += token_loss(logits, line, count[None], 1024)
    assert together.item() == pytest.approx(alone.item(), rel=1e-5)


@torch.no_grad()
def test_s1_decodes_the_published_tokens(semantic: Semantic) -> None:
    golden = load("s1")
    phones, bert = ints("s1.x", [1, 12], 732)[0], u("s1.bert", [1, 1024, 12])[0].T
    prompt = ints("s1.prompt", [1, 7], 1024)[0]
    steps = golden["greedy"]["early_stop_num"] + 1
    take = semantic.generate(phones, prompt, GREEDY, dice(), bert, max_steps=steps)
    assert [*prompt.tolist(), *take.tokens.tolist()] == golden["greedy"]["tokens_incl_prompt"]
    free = semantic.generate(phones, prompt[:0], GREEDY, dice(), bert, max_steps=21)
    assert free.tokens.tolist() == golden["greedy_no_prompt"]["tokens"] and free.stop == "max_steps"


@torch.no_grad()
def test_s1_decodes_a_batch_as_it_decodes_single_texts(semantic: Semantic) -> None:
    golden = load("s1")
    phones = [ints("s1.bx0", [12], 732), ints("s1.bx1", [9], 732)]
    berts = [u("s1.bb0", [1024, 12]).T, u("s1.bb1", [1024, 9]).T]
    prompt = ints("s1.bp", [1, 7], 1024)[0]
    both = semantic.generate_batch(phones, [prompt] * 2, GREEDY, [dice(), dice()], berts, max_steps=26)
    for row, take in enumerate(both):
        alone = semantic.generate(phones[row], prompt, GREEDY, dice(), berts[row], max_steps=26)
        said = [*prompt.tolist(), *take.tokens.tolist()]
        assert take.tokens.tolist() == alone.tokens.tolist()
        assert said == golden["greedy_solo_of_batch"][row]
        assert said[:-1] == golden["greedy_batch"]["tokens"][row]  # which loses its last token


@pytest.mark.parametrize("name", ["probs_a", "probs_b", "probs_c"])
def test_the_sampler_gives_the_published_chances(name: str) -> None:
    golden = load("s1")[name]
    wanted = golden["params"]
    logits = 4 * u("samp.logits", [1, 24])[0]
    assert logits.tolist() == pytest.approx(golden["logits"], rel=1e-6)
    sampling = Sampling(wanted["top_k"], wanted["top_p"], wanted["temperature"], wanted["repetition_penalty"])
    chances = probabilities(discourage(logits, golden["prev"][0], sampling.penalty), sampling)
    assert chances.tolist() == pytest.approx(golden["probs"], rel=1e-3, abs=1e-6)


def references(version: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """Two reference spectrograms and, for v2Pro, two speaker embeddings."""
    spec, second = 3 * u("s2.ref", [1, 1025, 20]).abs(), 3 * u("s2.ref2", [1, 1025, 31]).abs()
    if not VERSIONS[version].acoustic.speaker:
        return spec, second, None, None
    return spec, second, u("s2.sv", [1, 20480]), u("s2.sv2", [1, 20480])


@torch.no_grad()
@pytest.mark.parametrize("version", list(VERSIONS))
def test_s2_gives_the_published_sound(version: str) -> None:
    model = Acoustic(VERSIONS[version].acoustic).eval()
    fill_module(model, lambda key: official_name(key, ACOUSTIC))
    golden = load("s2")[version]
    codes, text = ints("s2.codes", [1, 1, 6], 1024)[0], ints("s2.text", [1, 7], VERSIONS[version].phones)
    spec, second, speaker, other = references(version)
    check(golden["ref_enc"], model.ref_enc(spec, torch.ones(1, 1, 20)))
    ge = model.reference(spec, speaker=speaker)
    if speaker is not None:
        check(golden["ge_final"], ge)
        check(golden["ge512"], model.enc_p.mrte.condition(ge.transpose(1, 2)).transpose(1, 2))
    check(golden["quantizer_decode"], model.quantiser.decode(codes))
    lengths, counts = torch.tensor([12]), torch.tensor([7])
    mean, logs, mask, _ = model.enc_p(model.expand(codes), lengths, text, counts, ge)
    check(golden["enc_p_m"], mean)
    check(golden["enc_p_logs"], logs)
    latent = model.flow(mean, mask, ge, reverse=True)
    check(golden["flow_reverse_of_m"], latent)
    check(golden["flow_forward_of_that"], model.flow(latent, mask, ge))
    assert torch.allclose(model.flow(latent, mask, ge), mean, atol=1e-4)
    check(golden["decode_noise0"], model.decode(codes, text, ge, 0.0))
    check(golden["decode_noise0_speed1.25"], model.decode(codes, text, ge, 0.0, speed=1.25))
    check(golden["decode_noise0_speed0.8"], model.decode(codes, text, ge, 0.0, speed=0.8))
    joined = torch.stack([ge, model.reference(second, speaker=other)]).mean(0)
    check(golden["decode_noise0_two_refs"], model.decode(codes, text, joined, 0.0))
    assert model.extract_latent(u("s2.ssl", [1, 768, 9])).tolist() == golden["extract_latent"]
    assert model.enc_q is not None
    heard = 2 * u("s2.spec", [2, 1025, 14]).abs()
    _, mean_q, logs_q = model.enc_q(heard, length_mask(torch.tensor([14, 11]), 14), torch.cat([ge, ge]))
    check(golden["dec_direct"], model.dec(u("s2.z", [1, 192, 8]), ge))
    check(golden["enc_q_stats"], torch.cat([mean_q, logs_q], dim=1))


def tone() -> torch.Tensor:
    return 0.1 * u("wav.noise", [1, 20480]) + 0.5 * torch.sin(0.05 * torch.arange(20480))


def test_spectrograms_are_the_published_ones() -> None:
    golden, wav = load("s2"), tone()
    spec = linear_spectrogram(wav, 2048, 640, 2048)
    check(golden["spectrogram_32k"], spec)
    check(golden["mel_128_of_spec"], mel_from_linear(spec, 32000, 128))
    check(golden["mel_100_24k"], log_mel(wav, 24000, 1024, 256, 1024, 100))
    check(golden["mel_100_32k_v4"], log_mel(wav, 32000, 1280, 320, 1280, 100))


@torch.no_grad()
@pytest.mark.parametrize(("name", "version"), [("mpd_v2", "v2"), ("mpd_v2Pro", "v2Pro")])
def test_the_discriminators_judge_as_published(name: str, version: str) -> None:
    golden = load("s2")[name]
    judge = Discriminator(VERSIONS[version].discriminator).eval()
    fill_module(judge, lambda key: official_name(key, DISCRIMINATOR))
    real, fake = judge(tone()[:, None, :4000]), judge(0.3 * u("wav.fake", [1, 1, 4000]))
    for record, maps in zip(golden["real_outputs"], real, strict=True):
        check(record, maps[-1].flatten(1))
    assert losses.discriminator_loss(real, fake).item() == pytest.approx(golden["disc_loss"], rel=1e-3)
    assert losses.adversarial_loss(fake).item() == pytest.approx(golden["gen_loss"], rel=1e-3)
    assert losses.feature_loss(real, fake).item() == pytest.approx(golden["feature_loss"], rel=1e-3)
    assert [len(maps) for maps in real] == golden["n_fmaps"]
    assert [[list(m.shape) for m in maps] for maps in real] == golden["fmap_shapes"]


def test_the_kl_is_the_published_one() -> None:
    parts = [u(name, [2, 4, 5]) for name in ("kl.zp", "kl.lq", "kl.mp", "kl.lp")]
    found = losses.kl_loss(*parts, length_mask(torch.tensor([5, 3]), 5))
    assert found.item() == pytest.approx(load("s2")["kl"], rel=1e-3)


def test_the_check_notices_a_small_difference() -> None:
    record, wav = load("s2")["spectrogram_32k"], tone()
    spec = linear_spectrogram(wav, 2048, 640, 2048)
    assert error(record, spec) < 1e-4 < 2e-3 < error(record, 1.005 * spec)
