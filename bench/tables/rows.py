"""The rows of the published tables: what is trained, with which methods, and what others report.

A row has settings (lines of federation.toml), data (prepared by data.py) and methods. A method has lines of federation.toml, and
the figure of the source, if there is one.
"""
from collections.abc import Callable
from dataclasses import dataclass, field

FLOWER = ("Flower's reproduction of NIID-Bench (Li, Diao, Chen, He, ICDE 2022), baselines/niid_bench, the mean of three seeds with its "
          "standard deviation, and from an earlier version of its README (commit 1599d01c2f76) one run; SGD 0.01, momentum 0.9, weight "
          "decay 1e-5, batch 64, 10 local epochs, 10 of 10 parties, 50 rounds, best round")


@dataclass
class Rates:
    """The learning rates of a method that tune.py changes."""
    clients: float
    server: float
    method: Callable  # of both rates: the same method with these


@dataclass
class Method:
    name: str
    toml: str  # added to federation.toml
    theirs: float | None = None
    theirs_spread: float | None = None  # the standard deviation of theirs
    theirs_once: float | None = None  # of a single run of theirs
    training: str = ""  # lines of [training] in place of the row's
    cohort: str = ""  # lines of [cohort] in addition
    sign: tuple[str, ...] = ()  # names of clients that lie
    reversed: tuple[str, ...] = ()
    gaussian: tuple[str, ...] = ()
    rates: Rates | None = None


@dataclass
class Row:
    name: str
    title: str
    data: tuple  # a function of data.py and its arguments
    model: str
    rounds: int
    training: str  # the lines of [training]
    methods: list[Method]
    source: str
    cohort: str = ""  # lines of [cohort] in addition
    # best: accuracy in percent of the best round; last: of the last one; tail: the mean of the last ten; rounds, clock: rounds, and
    # seconds on the simulation's clock, until `target`
    figure: str = "best"
    target: float = 0
    simulation: str = ""  # lines of [simulation] in addition
    more: str = ""  # further tables
    note: str = ""
    seeds: tuple[int, ...] = field(default=(0,))


def strategy(method: str, **options) -> str:
    text = f'[strategy]\nmethod = "{method}"\n'
    if options:
        text += f"\n[strategy.{method}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in options.items())
    return text


def server(optimizer: str, **options) -> str:
    return (f'[strategy]\nserver_optimizer = "{optimizer}"\n\n[strategy.{optimizer}]\n' +
            "".join(f"{key} = {toml(value)}\n" for key, value in options.items()))


def rule(name: str, **options) -> str:
    text = f'[strategy]\naggregation = "{name}"\n'
    if options:
        text += f"\n[strategy.{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in options.items())
    return text


def toml(value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


# --- NIID-Bench
# The labels of the parties in all runs of the source, whose code draws them from numpy.random.default_rng(42). With 2 and 3 labels
# the draw decides how large the parties are, and the accuracy depends much on it.
LABELS_2 = ((0, 7), (1, 6), (2, 4), (3, 4), (4, 8), (5, 0), (6, 2), (7, 0), (8, 5), (9, 7))
LABELS_3 = ((0, 7, 6), (1, 4, 8), (2, 0, 6), (3, 2, 0), (4, 5, 9), (5, 7, 1), (6, 8, 4), (7, 5, 3), (8, 1, 9), (9, 7, 6))
# What the source reports for FedAvg, SCAFFOLD, FedProx and FedNova: mean, standard deviation, and one run.
NIID = {
    "iid": ("IID", ("fashion_mnist", 10, ("--iid",)),
            ((89.23, 0.45, 89.0), (89.33, 0.27, 89.5), (89.42, 0.09, 89.5), (89.36, 0.09, 89.3))),
    "dirichlet": ("Dirichlet(0.5)", ("fashion_mnist", 10, ("--dirichlet", "0.5")),
                  ((88.09, 0.29, 88.4), (88.44, 0.25, 88.4), (88.15, 0.42, 88.6), (88.22, 0.12, 88.1))),
    "labels-3": ("3 labels a party", ("fashion_mnist_of", 10, LABELS_3),
                 ((82.43, 1.52, 83.2), (80.32, 5.03, 84.2), (82.99, 0.48, 82.5), (81.97, 1.34, 83.2))),
    "labels-2": ("2 labels a party", ("fashion_mnist_of", 10, LABELS_2),
                 ((78.10, 2.51, 81.0), (33.80, 41.22, 10.0), (78.05, 0.99, 78.8), (71.67, 2.34, 70.5))),
    "labels-1": ("1 label a party", ("fashion_mnist", 10, ("--random-labels", "1")),
                 ((28.39, 17.09, 10.0), (10.00, 0.00, 10.0), (32.65, 6.68, 38.0), (16.86, 9.30, 11.1))),
}

NIID_TRAINING = "epochs = 10\nbatch_size = 64\nlearning_rate = 0.01\nmomentum = 0.9\nweight_decay = 0.00001\n"
SCAFFOLD_NOTE = "`scaffold` corrects the gradient before the momentum."
OUTSIDE_NOTE = " `scaffold-outside` corrects the weights after it, as the code of NIID-Bench does."
EQUAL_STEPS = " All parties make equally many steps, so that `fednova` has the accuracy of `fedavg` after each of the 50 rounds."
SAME_PARTIES = (" Each party has the labels that their code draws for it. Why most of ours are two points or more above their means, "
                "also those without control variates, is not known: a program in PyTorch that shares nothing with Hansa, with these "
                "parties, has what ours has (3 labels, `fedavg`, the first four rounds from the same model: "
                "31.9, 45.7, 59.0, 72.7 %, ours 29.8, 43.6, 66.7, 70.2 %; 2 labels, `fednova`, another first model, best of 25 rounds: "
                "77.3 %, ours 77.9 %), and their code has the same formulas.")
TWO_LABELS = (" Theirs of `scaffold`, 33.80 ± 41.22, is what two runs at chance (10 %) and one with 81.4 % make. Ours does not fall: inside "
              "the momentum the control variates hold gradients, and cancel them. Outside of it they hold what the momentum makes of "
              "gradients, ten times as much, and correct by it from the first step of a training on, while the momentum becomes so long "
              "only after tens of steps. Here that went well; with the evenly dealt labels below, one of three runs fell to chance and "
              "stayed there.")


def niid_row(name: str) -> Row:
    title, data, (fedavg, scaffold, fedprox, fednova) = NIID[name]
    few_labels = name in ("labels-1", "labels-2")  # where the two corrections of SCAFFOLD differ much
    return Row(
        f"niid-{name}", f"NIID-Bench, Fashion-MNIST, LeNet: {title}", data, "lenet", 50, NIID_TRAINING,
        [
            Method("fedavg", strategy("sgd"), *fedavg),
            Method("fedprox", strategy("fedprox", mu=0.01), *fedprox),
            Method("scaffold", strategy("scaffold"), *scaffold),
            Method("fednova", strategy("fednova"), *fednova),
        ] + ([Method("scaffold-outside", strategy("scaffold", correction="outside"), *scaffold)] if few_labels else []), FLOWER,
        note="`fedprox` has a `mu` of 0.01; theirs tuned it over 0.001, 0.01, 0.1 and 1. " + SCAFFOLD_NOTE +
             (OUTSIDE_NOTE if few_labels else "") + (SAME_PARTIES if name in ("labels-2", "labels-3") else "") +
             {"iid": EQUAL_STEPS, "labels-1": ONE_LABEL, "labels-2": TWO_LABELS}.get(name, ""),
        seeds=(0, 1, 2))


ONE_LABEL = (" The accuracy swings from round to round (`fedavg`: 16 to 45 % in rounds 31 to 49, 54.54 % in the last one), so that the "
             "best of 50 rounds differs much from run to run, theirs by 17 points. In these runs, of an earlier version, `fednova` is "
             "`fedavg` but for the rounding of its numbers, because all parties make equally many steps: up to round 16 both have the "
             "same accuracies, and in the end 47.99 and 54.54 %. Both corrections of `scaffold` are at chance in nearly all rounds; "
             "their figures are those of rounds 4 and 10. All but `scaffold-outside` dealt the labels with `--labels-per-client 1`, "
             "which differs only in which party has which label. With it `scaffold-outside` diverged after round 8: the changes of all "
             "clients exceeded 1,000.")


# The same federation with labels drawn from the seed.
def random_row(labels: int, methods: list[Method]) -> Row:
    return Row(
        f"random-labels-{labels}", f"The same with {labels} labels a party, drawn for each seed",
        ("fashion_mnist", 10, ("--random-labels", str(labels))), "lenet", 50, NIID_TRAINING, methods,
        "none: the runs above have the one draw of the source", seeds=(0, 1, 2))


RANDOM = [
    random_row(2, [Method("fedavg", strategy("sgd")), Method("scaffold", strategy("scaffold"))]),
    random_row(3, [Method("fedavg", strategy("sgd"))]),
]


# The same federation with labels that have equally many parties, so that all parties have equally many examples.
def even_row(labels: int, methods: list[Method], note: str = "") -> Row:
    return Row(
        f"even-labels-{labels}", f"The same with {labels} labels a party, and {labels} parties for each label",
        ("fashion_mnist", 10, ("--labels-per-client", str(labels))), "lenet", 50, NIID_TRAINING, methods,
        "none: in NIID-Bench some labels have more parties than others, and some parties more examples", note=note, seeds=(0, 1, 2))


EVEN = [
    even_row(2, [
        Method("fedavg", strategy("sgd")),
        Method("scaffold", strategy("scaffold")),
        Method("scaffold-outside", strategy("scaffold", correction="outside")),
    ], SCAFFOLD_NOTE + OUTSIDE_NOTE +
             " It can end a network: its runs reached 80.24, 52.45 and 82.12 %, and the second one stayed at chance (10 %) from round 18 "
             "to the end; on the same data `scaffold` reached 77.70 %."),
    even_row(3, [
        Method("fedavg", strategy("sgd")),
        Method("scaffold", strategy("scaffold")),
    ], "`fedavg` is 3.44 points below that of the random labels (seed 0)."),
]


# --- McMahan et al. 2017
def mcmahan_row(name: str, partition: tuple, rounds: int, theirs: float, note: str = "") -> Row:
    return Row(
        f"mcmahan-{name}", f"McMahan et al. 2017, MNIST CNN, rounds to 99 %: {name}", ("mnist", 100, partition), "cnn-mcmahan",
        rounds, "epochs = 5\nbatch_size = 10\nlearning_rate = 0.1\n", [Method("fedavg", strategy("sgd"), theirs)],
        "McMahan et al., AISTATS 2017, table 2: E = 5, B = 10, C = 0.1; the learning rate was tuned there",
        cohort="fraction = 0.1\n", figure="rounds", target=0.99,
        more="[schedule.until]\nreaches = 0.99\n", note=note)


# --- Server optimisers: words, most of which are rare. tune.py finds the two rates of each.
def optimizer(name: str, clients_rate: float, server_rate: float, **options) -> Method:
    return Method(name, server(name, learning_rate=server_rate, **options),
                  training=f"epochs = 1\nbatch_size = 16\nlearning_rate = {clients_rate}\n",
                  rates=Rates(clients_rate, server_rate, lambda c, s: optimizer(name, c, s, **options)))


WORDS = Row(
    "server-optimizers", "Server optimisers: the next word of the Bible, from the word before it (330 clients, 10 in a round)",
    ("words", 330), "logistic:3000:100", 40, "",
    [
        optimizer("fedavg", 10, 1),
        optimizer("fedavgm", 1, 3, momentum=0.9),
        optimizer("fedadagrad", 0.3, 1),
        optimizer("fedadam", 10, 0.1),
        optimizer("fedyogi", 10, 0.1),
    ], "Reddi et al., ICLR 2021, table 1, report that adaptive optimisers lead on sparse text (Stack Overflow); their data is "
    "not to be had here", cohort="fraction = 0.0303\n", figure="tail", seeds=(0, 1, 2),
    note="The mean of the last 10 of 40 rounds. Both rates of each optimiser are the best that `bench/tables/tune.py` found on "
         "a fifth of the training examples (seed 0): those next to them, about 3 times as large or small, are worse. The inputs "
         "are 3,000 words, half of which occur at 17 clients or fewer. Where most inputs occur at every client, the adaptive "
         "optimisers do not lead: with 33 clients, 1,000 frequent words and five words before the next one, `fedavg` had 23.2 % "
         "and `fedadam` 22.4 % (one seed).")

# --- Robust rules
LIARS = {"sign": ("client-05", "client-06"), "gaussian": ("client-07", "client-08")}
ROBUST = Row(
    "robust", "10 clients, 2 flip signs, 2 send noise, 2 have flipped labels", ("flipped_labels", 10, ("--iid",),
                                                                              ("client-09", "client-10")), "cnn-small", 20,
    "epochs = 1\nbatch_size = 32\nlearning_rate = 0.02\nmomentum = 0.9\n",
    [Method("honest", rule("mean"))] + [
        Method(name, text, sign=LIARS["sign"], gaussian=LIARS["gaussian"]) for name, text in (
            ("mean", rule("mean")),
            ("median", rule("median")),
            ("trimmed_mean", rule("trimmed_mean", trim=0.4)),
            ("krum", rule("krum", faulty=3)),
            ("multi_krum", rule("multi_krum", faulty=3)),
            ("geometric_median", rule("geometric_median")),
            ("norm_bound", rule("norm_bound", norm=1.0)),
            ("centred_clipping", rule("centred_clipping", radius=1.0)),
        )
    ], "none: the attacks are those of the papers of the rules",
    cohort="clients_min = 10\nquorum = 1.0\n", figure="last",
    note="`honest`: the same clients without liars, and with flipped labels. Six of ten are wrong, more than the guarantees of "
         "the rules cover; `bulyan` cannot run, because it needs 4 f + 3 updates. The last two ran on a busy machine.")

ROBUST_FEW = Row(
    "robust-few", "12 clients, 1 sends its change reversed and ten times as long, 1 sends noise",
    ("fashion_mnist", 12, ("--iid",)), "cnn-small", 5,
    "epochs = 1\nbatch_size = 32\nlearning_rate = 0.02\nmomentum = 0.9\n",
    [Method("honest", rule("mean"))] + [
        Method(name, text, reversed=("client-11",), gaussian=("client-12",)) for name, text in (
            ("mean", rule("mean")),
            ("median", rule("median")),
            ("trimmed_mean", rule("trimmed_mean", trim=0.2)),
            ("krum", rule("krum", faulty=2)),
            ("multi_krum", rule("multi_krum", faulty=2)),
            ("bulyan", rule("bulyan", faulty=2)),
            ("geometric_median", rule("geometric_median")),
            ("norm_bound", rule("norm_bound")),
            ("centred_clipping", rule("centred_clipping")),
        )
    ], "none: the attacks are those of the papers of the rules",
    cohort="clients_min = 12\nquorum = 1.0\n", figure="last", seeds=(0, 1, 2),
    note="`honest`: the same clients without liars. Two of twelve are wrong, which the guarantees of all rules cover. "
         "`norm_bound` and `centred_clipping` have their defaults, which follow the median norm of the round.")


# --- Clients of different speeds
def buffered(updates: int) -> Method:
    return Method(f"buffered-{updates}", f"[cohort.buffered]\nupdates = {updates}\n", cohort='mode = "buffered"\n')


SPEEDS = Row(
    "speeds", "20 clients of different speeds: rounds and buffers (FedBuff), time to 80 %",
    ("fashion_mnist", 20, ("--dirichlet", "0.5")), "mlp", 600, "epochs = 1\nbatch_size = 32\nsteps_max = 20\nlearning_rate = 0.05\n",
    [
        Method("rounds", "", cohort="quorum = 1.0\n"),
        Method("rounds-half", "", cohort="quorum = 1.0\nfraction = 0.5\n"),
        Method("rounds-deadline", "", cohort="quorum = 0.5\ndeadline_s = 120\n"),
        buffered(5),
        buffered(10),
    ], "none: Nguyen et al., AISTATS 2022, report 3.3 times the speed of rounds (FedAvg) with other data",
    cohort="clients_min = 5\ndeadline_s = 3600\n", figure="clock", target=0.8, simulation="training_s = 60.0\nspeed_spread = 1.0\n",
    more="[schedule.until]\nreaches = 0.8\n", seeds=(0, 1, 2),
    note="A training takes a minute on the simulation's clock for the median client; the times of the clients are log-normal with a "
         "deviation of 1 of the logarithm. `rounds` waits for all 20 clients, `rounds-half` for a random half of them, and "
         "`rounds-deadline` for two minutes, if 10 updates have come then; the buffers take 5 and 10 updates. In all of them a "
         "training has at most 20 steps.")

ROWS = {row.name: row for row in
        [niid_row(name) for name in NIID] + RANDOM + EVEN +
        [mcmahan_row("iid", ("--iid",), 60, 20, "The learning rate of ours is 0.1, and not tuned."),
         mcmahan_row("shards", ("--labels-per-client", "2"), 500, 229), WORDS, ROBUST, ROBUST_FEW, SPEEDS]}
