import numpy as np
import pytest

from geosite.choices import filed_weights, named_weights, paired_weights, rule_misfit, rule_of
from geosite.errors import CatalogError

IDS = ("rail", "slope", "labour")


@pytest.mark.parametrize(
    "words",
    ["weighted_sum", "geometric_mean:0.01", "minimum", "maximum", "owa:3,2,1", "topsis"],
)
def test_every_rule_can_be_said(words):
    assert rule_of(words, IDS).kind == words.partition(":")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mean", "there is no rule 'mean'; write weighted_sum"),
        ("topsis:3", "topsis takes no '3'"),
        ("fuzzy_gamma:2", "gamma: "),
        ("owa", "order_weights: "),
        ("owa:1,x,2", "order_weights"),
        ("owa:0,0,0", "all are zero"),
        ("fuzzy_gamma:", "nothing stands behind the colon"),
        ("owa:1,2", "2 order weights, expected 3"),
        ("evidence_gated", "needs the criterion evidence with a weight above zero"),
    ],
)
def test_what_is_no_rule_is_refused(words, said):
    with pytest.raises(CatalogError) as error:
        rule_of(words, IDS)
    assert said in str(error.value)
    assert str(error.value).startswith("--rule: ")


def test_a_rule_that_fits_has_no_misfit():
    assert rule_misfit(rule_of("evidence_gated:rail", IDS), IDS) == ""


def test_weights_are_named_in_any_order_and_zero_leaves_one_out():
    assert named_weights("labour=0, rail=3,slope=1.5", IDS).tolist() == [3, 1.5, 0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rail=1,slope=1,labor=1", "there is no criterion labor; there are rail, slope, labour"),
        ("rail=1", "nothing is said of slope, labour"),
        ("rail=1,rail=2,slope=1,labour=1", "rail is named twice"),
        ("rail=-1,slope=1,labour=1", "rail is -1, expected zero or more"),
        ("rail=nan,slope=1,labour=1", "rail is nan, expected zero or more"),
        ("rail=much,slope=1,labour=1", "rail is 'much', expected a number"),
        ("rail=0,slope=0,labour=0", "all weights are zero"),
    ],
)
def test_every_fault_of_weights_is_told(words, said):
    with pytest.raises(CatalogError) as error:
        named_weights(words, IDS)
    assert said in str(error.value)


def test_a_file_holds_weights_or_a_weighting(tmp_path):
    file = tmp_path / "weights.yaml"
    file.write_text("rail: 3\nslope: 0\nlabour: 1\n")
    weights, each = filed_weights(file, IDS)
    assert (weights.tolist(), each) == ([3, 0, 1], {})
    file.write_text("kind: ranking\norder: [rail, [slope, labour]]\n")
    assert filed_weights(file, IDS)[0].sum() == pytest.approx(1)
    file.write_text(
        "weighting:\n  kind: stakeholders\n  voices:\n"
        "    - {name: one, weighting: {kind: direct, weights: {rail: 1, slope: 1, labour: 2}}}\n"
        "    - {name: two, weighting: {kind: ranking, order: [slope, rail, labour]}}\n"
    )
    weights, each = filed_weights(file, IDS)
    assert list(each) == ["one", "two"]
    assert weights == pytest.approx((each["one"] + each["two"]) / 2)


def test_a_file_that_is_no_weighting_is_refused_with_its_faults(tmp_path):
    file = tmp_path / "weights.yaml"
    for text, said in (
        ("kind: direct\nweights: {rail: -1}\n", "is not a valid weighting"),
        ("kind: guess\n", "is not a valid weighting"),
        ("kind: direct\nweights: {rail: 1}\n", "nothing is said of slope, labour"),
        ("rail: 1\n", "nothing is said of slope, labour"),
        ("- 1\n", "expected keys and values"),
    ):
        file.write_text(text)
        with pytest.raises(CatalogError, match=said):
            filed_weights(file, IDS)
    with pytest.raises(CatalogError, match="cannot be read"):
        filed_weights(tmp_path / "nowhere.yaml", IDS)


YAML = "criteria: [slope, rail, labour]\ntable: [[1, 3, 5], [1/3, 1, 2], [1/5, 1/2, 1]]\n"
CSV = "slope,rail,labour\n1,3,5\n1/3,1,2\n1/5,1/2,1\n"
LABELLED = ",slope,rail,labour\nslope,1,3,5\nrail,1/3,1,2\nlabour,1/5,1/2,1\n"


def test_a_pairwise_table_is_the_same_however_it_is_written(tmp_path):
    found = []
    for name, text in (("a.yaml", YAML), ("b.csv", CSV), ("c.csv", LABELLED)):
        (tmp_path / name).write_text(text)
        weights, consistency = paired_weights(tmp_path / name, IDS)
        found.append(weights)
        assert consistency == "pairwise table: consistency ratio 0.003"
    assert found[0].sum() == pytest.approx(1)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert found[0][1] > found[0][0] > found[0][2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CSV.replace("1/3", "1/4"), "not reciprocal, expected 1/3"),
        (CSV.replace("rail", "road"), "there is no criterion road"),
        (CSV.replace("1/3", "third"), "is not a pairwise table"),
        (LABELLED.replace("\nrail", "\nroad"), "expected the same criteria in the same order"),
        ("", "is not a pairwise table"),
    ],
)
def test_a_table_that_is_none_is_refused(text, said, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(CatalogError) as error:
        paired_weights(tmp_path / "t.csv", IDS)
    assert said in str(error.value)


def test_a_table_that_is_not_there_is_told(tmp_path):
    for name in ("t.csv", "t.yaml"):
        with pytest.raises(CatalogError, match="cannot be read"):
            paired_weights(tmp_path / name, IDS)


def test_weights_too_large_to_be_summed_are_refused():
    with pytest.raises(CatalogError, match="rail is 1e\\+308, expected zero or more, at most"):
        named_weights("rail=1e308,slope=1e308,labour=1e308", IDS)


def test_a_pairwise_table_may_be_parted_by_semicolons(tmp_path):
    file = tmp_path / "pairs.csv"
    rows = [f"{name};" + ";".join(["1,0"] * len(IDS)) for name in IDS]
    file.write_text("\n".join([";" + ";".join(IDS), *rows]))
    weights, said = paired_weights(file, IDS)
    assert weights == pytest.approx([1 / 3] * 3)
    assert said == "pairwise table: consistency ratio 0.000"


def test_a_weight_that_is_a_list_is_not_written_out(tmp_path):
    file = tmp_path / "weights.yaml"
    file.write_text(f"rail: [{', '.join(['x'] * 500)}]\nslope: 1\nlabour: 1\n")
    with pytest.raises(CatalogError, match="rail is list, expected a number"):
        filed_weights(file, IDS)
