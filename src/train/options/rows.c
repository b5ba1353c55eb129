/* rows.c - the options of a run, a row each. A new option is a member of deeper_train_options and a
 * row here: checks, run.json, the report and the options of the program follow. Ranges are the
 * widest that make sense to anyone, since a recorded run must stay one. */
#include "train/options/options.h"

#define MEMBER(member_, word_, kind_)                                                              \
    .offset = offsetof(deeper_train_options, member_), .option.name = #member_,                    \
    .option.word = word_, .option.kind = kind_
#define TEXT(member_, word_, value_)                                                               \
    MEMBER(member_, word_, DEEPER_OPTION_TEXT), .option.value = value_
#define PATH(member_, word_, value_)                                                               \
    MEMBER(member_, word_, DEEPER_OPTION_PATH), .option.value = value_
#define LIST(member_, word_, value_, fallback_)                                                    \
    MEMBER(member_, word_, DEEPER_OPTION_LIST), .option.value = value_, .option.fallback = fallback_
#define CHOICE(member_, word_, choices_, fallback_)                                                \
    MEMBER(member_, word_, DEEPER_OPTION_CHOICE), .option.value = choices_,                        \
                                                  .option.fallback = fallback_
#define RANGE(value_, fallback_, min_, max_)                                                       \
    .option.value = value_, .option.fallback = fallback_, .option.min = min_, .option.max = max_
#define INT(member_, word_, fallback_, min_, max_)                                                 \
    MEMBER(member_, word_, DEEPER_OPTION_INT), RANGE("N", fallback_, min_, max_)
#define NUMBER(member_, word_, fallback_, min_, max_)                                              \
    MEMBER(member_, word_, DEEPER_OPTION_NUMBER), RANGE("X", fallback_, min_, max_)
/* What an option is to a run: it decides bits of the result; only how the run goes; only this
 * process, so that it is not recorded. Then the first version that has it, and its help. */
#define RESULT(since_, help_)                                                                      \
    .option.recorded = 1, .option.decides = 1, .option.since = since_, .option.help = help_
#define COURSE(since_, help_) .option.recorded = 1, .option.since = since_, .option.help = help_
#define PROCESS(since_, help_) .option.since = since_, .option.help = help_

/* In the order in which help shows them. */
static const dp_train_row table[] = {
    { PATH(data, "data", "SRC"),
      RESULT("0.1", "pictures: a folder of class folders, a tar of them (or TAR:FOLDER), a file of "
                    "\"PATH LABEL\" lines, LABEL a class number from 0, or IDX pictures") },
    { PATH(data_root, "root", "FOLDER"),
      RESULT("0.1", "where the paths of a list start (default: the list's folder)") },
    { PATH(val, "val", "SRC"),
      RESULT("0.1", "pictures for validation (default: a share of the data)") },
    { NUMBER(val_fraction, "val-fraction", "0.1", 0.001, 0.9),
      RESULT("0.1", "that share, chosen by the seed, a class at a time") },
    { PATH(out, "out", "RUN"), PROCESS("0.1", "the run's folder, new or empty") },
    { MEMBER(resume, "resume", DEEPER_OPTION_FLAG),
      PROCESS("0.1", "go on from the newest sound checkpoint in the run's folder, with the options "
                     "it was started with") },
    { TEXT(architecture, "arch", "ARCH"),
      RESULT("0.1", "from scratch: an architecture with its options, \"googlenet:norm=bn\"; with "
                    "auxiliary heads unless aux=0") },
    { PATH(init, "init", "MODEL"),
      RESULT("0.1", "fine-tune this model file; its last layer is replaced where the classes "
                    "differ") },
    { INT(image_size, "size", NULL, 1, 4096),
      RESULT("0.1", "side of the network's input in pixels (default: 224, or that of the model to "
                    "fine-tune)") },
    { INT(epochs, "epochs", NULL, 1, 10000),
      RESULT("0.1",
             "times that every picture is seen (default: 30 from scratch, 10 fine-tuning)") },
    { NUMBER(minutes, "minutes", NULL, 0, 1e6),
      RESULT("0.1",
             "as many steps as fit into this time, all in all, planned again as it goes (default: "
             "no limit); run.json then has the steps to do it again") },
    { LIST(steps, "steps", "N[,FROM:N...]", NULL),
      RESULT("0.2", "length of the run in updates, in place of epochs; FROM:N: from update FROM on "
                    "it is N, as a run by the clock decided") },
    { MEMBER(probe, "probe", DEEPER_OPTION_FLAG),
      RESULT("0.2", "a linear probe alone: the last layer of the model to fine-tune, fitted to "
                    "convergence in seconds once each picture went through the others") },
    { INT(probe_images, "probe-images", "10000", 0, 1000000000),
      RESULT("0.2",
             "training pictures that a probe sees, at most, chosen by the seed; fine-tuning "
             "with a new last layer begins with a probe and never ends below it; 0: without") },
    { INT(batch, "batch", "32", 1, 4096), RESULT("0.1", "pictures a step") },
    { INT(accumulate, "accumulate", "1", 1, 4096),
      RESULT("0.1", "batches whose gradients are added up before an update") },
    { NUMBER(rate, "rate", NULL, 0, 1000),
      RESULT("0.1", "learning rate (default: 0.01 from scratch, 0.002 fine-tuning, at batch 32, in "
                    "proportion to it)") },
    { CHOICE(schedule, "schedule", "cosine|poly|step|constant", "cosine"),
      RESULT("0.1", "how the rate falls; step: the paper's x0.96 every 8 epochs") },
    { NUMBER(warmup_epochs, "warmup", "1", 0, 1e4),
      RESULT("0.1", "epochs over which the rate grows from 0") },
    { NUMBER(momentum, "momentum", "0.9", 0, 0.9999), RESULT("0.1", "of the updates") },
    { NUMBER(decay, "decay", "2e-4", 0, 1), RESULT("0.1", "of weights, not of biases") },
    { NUMBER(clip, "clip", "5", 0, 1e9),
      RESULT("0.1", "gradients of a larger norm are scaled down to it; 0: not") },
    { NUMBER(smoothing, "smoothing", "0", 0, 0.9), RESULT("0.1", "of labels") },
    { NUMBER(aux_weight, "aux-weight", "0.3", 0, 100),
      RESULT("0.1", "of the auxiliary heads' losses") },
    { CHOICE(initial, "initial", "he|xavier|bvlc|gaussian", "he"),
      RESULT("0.1", "first weights from scratch; bvlc: xavier with biases of 0.2") },
    { CHOICE(average, "average", "ema|polyak|none", "ema"),
      RESULT("0.1", "weights that are evaluated and saved: averages over the steps (polyak: the "
                    "paper's), or the last") },
    { LIST(augment, "augment", "paper|none|LIST", "paper"),
      RESULT("0.1", "LIST: some of area,crop,mirror,photometric,lighting,interpolation") },
    { LIST(freeze, "freeze", "LIST", NULL),
      RESULT("0.1", "layers that stay as they are, by the beginnings of their names: "
                    "\"conv1,conv2,inception_3\"") },
    { LIST(rates, "rates", "LIST", NULL),
      RESULT("0.1", "factors on the rate of layers: \"loss3=10\" (default: the new layer x10 when "
                    "fine-tuning)") },
    { CHOICE(class_weights, "class-weights", "none|auto", "none"),
      RESULT("0.1", "auto: in inverse proportion to the pictures of a class, mean 1") },
    { INT(patience, "patience", NULL, 0, 10000),
      RESULT("0.1", "stop after this many epochs without a better validation (default: 3 when "
                    "fine-tuning by epochs, else never)") },
    { MEMBER(seed, "seed", DEEPER_OPTION_COUNT), RANGE("N", "1", 0, 0x1p64),
      RESULT("0.1", "of everything that is random") },
    { INT(ensemble, "ensemble", NULL, 2, 64),
      RESULT("0.1", "train N members, one after the other, in RUN/member1 ..., from the same first "
                    "weights, with other orders and crops; the time is for all of them") },
    { INT(member, "member", NULL, 1, 64),
      RESULT("0.1", "train only member N of an ensemble with this seed, on a machine of its own") },
    { INT(keep, "keep", "2", 1, 1000), COURSE("0.1", "checkpoints to keep") },
    { NUMBER(checkpoint_minutes, "checkpoint-minutes", "5", 0, 1e6),
      COURSE("0.1", "between checkpoints inside an epoch; there is one after every epoch") },
    { INT(threads, "threads", NULL, 1, 256),
      PROCESS("0.1",
              "threads to use (default: DEEPER_THREADS, else the processors that this process "
              "may use)") },
    { INT(readers, "readers", NULL, 1, 256),
      PROCESS("0.1", "threads that decode (default: as many as threads)") },
    { NUMBER(max_unreadable, "max-unreadable", "0.1", 0, 1),
      COURSE("0.1", "stop if more than this share of an epoch's pictures cannot be read") },
    { MEMBER(max_pixels, "max-pixels", DEEPER_OPTION_COUNT), RANGE("N", NULL, 1, 1e12),
      PROCESS("0.2", "larger pictures are not read (default: 178956970)") },
    { MEMBER(max_memory, "max-memory", DEEPER_OPTION_COUNT), RANGE("MB", NULL, 1, 1e6),
      PROCESS("0.2", "that pictures take while they are decoded, all together (default: 1024)") },
};

const dp_train_row *dp_train_row_at(size_t index) {
    return index < sizeof table / sizeof *table ? &table[index] : NULL;
}
