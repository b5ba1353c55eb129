/* tune.c - see tune.h. A plan is made, run and freed for each measurement: packing takes about as
 * long as the runs, and memory stays that of two plans at most. */
#include "measure/tune.h"
#include "base/statistics.h"

#include <math.h>
#include <string.h>

enum {
    WAYS = DP_TUNED_WAYS,
    SCREEN_ROUNDS =
        3,         /* the first with all choices, the others with those that are not far behind */
    FINALISTS = 4, /* the model's choice first */
    FINAL_ROUNDS = 24,
    WARM_RUNS = 2,
    RUNS = 6, /* of a plan in one measurement, of which the fastest counts for each kind */
    PAIRS = 24
};
static const double CLEARLY = 0.97, MOSTLY = 0.75, FAR_BEHIND = 1.5;

/* A kind of convolution while it is measured. */
typedef struct kind {
    dp_tuning_choice candidates[DP_TUNING_CANDIDATES]; /* the model's choice first */
    double fastest[DP_TUNING_CANDIDATES][WAYS];        /* seconds, of all rounds so far */
    int count;
    int finalists[FINALISTS]; /* candidates */
    int finalist_count;
    double times[FINALISTS][FINAL_ROUNDS][WAYS];
    int best; /* a finalist */
} kind;

typedef struct tuner {
    const deeper_allocator *allocator;
    const dp_model *model;
    const dp_tune_options *options;
    dp_tuned_network *network;
    kind *kinds;
    dp_tuning tuning;        /* what the next plan is to do */
    double (*seconds)[WAYS]; /* a kind: of the last measurement */
    float **outputs;         /* of a batch */
    uint64_t done, total;    /* measurements */
} tuner;

/* A plan with packed weights of its own, and a session for each number of threads. */
typedef struct trial {
    dp_packs *packs;
    dp_session *sessions[WAYS];
} trial;

static void trial_end(trial *probe) {
    for (int way = 0; way < WAYS; way++)
        dp_session_free(probe->sessions[way]);
    dp_packs_free(probe->packs);
    *probe = (trial){ 0 };
}

static deeper_status trial_begin(trial *probe, const tuner *t, deeper_error *error) {
    dp_session_options options = { .max_batch = t->options->max_batch,
                                   .threads = t->options->threads,
                                   .outputs = t->options->outputs,
                                   .output_count = t->options->output_count,
                                   .tuning = &t->tuning };
    *probe = (trial){ 0 };
    deeper_status status = dp_packs_create(&probe->packs, t->allocator, error);
    for (int way = 0; status == DEEPER_OK && way < t->network->ways; way++, options.threads = 1)
        status = dp_session_create(&probe->sessions[way], t->model, probe->packs, &options, error);
    if (status != DEEPER_OK)
        trial_end(probe);
    return status;
}

static double run_once(const tuner *t, dp_session *session) {
    double begin = dp_now();
    dp_session_run(session, t->options->input, session->max_batch, t->outputs);
    return dp_now() - begin;
}

/* One measurement more. */
static deeper_status step_done(tuner *t, deeper_error *error) {
    const dp_tune_options *options = t->options;
    t->done++;
    if (options->progress)
        options->progress(options->context, t->done, t->total);
    if (t->done == t->total || !options->control
        || options->control(options->context) != DEEPER_STOP)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_STOPPED,
                   "stopped after %llu of %llu measurements; nothing is kept of them",
                   (unsigned long long)t->done, (unsigned long long)t->total);
}

/* ---------------------------------------------------------------------- what there is to choose */

static int find_kind(const dp_tuned_network *network, const dp_tuning_key *key) {
    for (int i = 0; i < network->layer_count; i++)
        if (dp_tuning_same_key(&network->layers[i].key, key))
            return i;
    return -1;
}

/* The kinds of convolutions of a plan. */
static deeper_status read_kinds(dp_tuned_network *network, const dp_plan *plan,
                                deeper_error *error) {
    network->layers =
        dp_alloc(network->allocator, (size_t)dp_plan_steps(plan), sizeof *network->layers);
    if (!network->layers)
        return dp_fail_memory(error, "the list of convolutions");
    for (int i = 0; i < dp_plan_steps(plan); i++) {
        dp_plan_step step = dp_plan_step_at(plan, i);
        if (!step.chosen.key.channels)
            continue;
        int at = find_kind(network, &step.chosen.key);
        if (at < 0) {
            at = network->layer_count++;
            network->layers[at] = (dp_tuned_layer){ .name = step.name, .key = step.chosen.key };
            network->layers[at].model = network->layers[at].best = step.chosen.choice;
        }
        network->layers[at].layers++;
    }
    return DEEPER_OK;
}

static void read_candidates(kind *conv, const dp_tuned_layer *layer) {
    conv->count = dp_winograd_candidates(conv->candidates, &layer->key);
    for (int i = 0; i < conv->count; i++) {
        for (int way = 0; way < WAYS; way++)
            conv->fastest[i][way] = INFINITY;
        if (dp_tuning_same_choice(&conv->candidates[i], &layer->model)) {
            conv->candidates[i] = conv->candidates[0];
            conv->candidates[0] = layer->model;
        }
    }
}

/* The plan of the model's choices, and the room that measurements need. */
static deeper_status prepare(tuner *t, deeper_error *error) {
    dp_tuned_network *network = t->network;
    trial first;
    network->ways = 1;
    DP_TRY(trial_begin(&first, t, error));
    const dp_session *session = first.sessions[0];
    const size_t images = (size_t)session->max_batch;
    network->threads = session->threads;
    network->ways = session->threads > 1 ? WAYS : 1;
    network->isa = session->kernels->isa;
    deeper_status status = read_kinds(network, session->plan, error);
    t->outputs = dp_alloc(t->allocator, (size_t)t->options->output_count, sizeof *t->outputs);
    bool room = status == DEEPER_OK && t->outputs;
    for (int i = 0; room && i < t->options->output_count; i++) {
        t->outputs[i] = dp_alloc(t->allocator, images,
                                 dp_shape_floats(dp_session_output(session, i)) * sizeof(float));
        room = t->outputs[i] != NULL;
    }
    t->kinds = room ? dp_alloc(t->allocator, (size_t)network->layer_count, sizeof *t->kinds) : NULL;
    t->seconds =
        room ? dp_alloc(t->allocator, (size_t)network->layer_count, sizeof *t->seconds) : NULL;
    trial_end(&first);
    if (status == DEEPER_OK && (!t->kinds || !t->seconds))
        return dp_fail_memory(error, "the measurements; a smaller batch needs less");
    for (int i = 0; status == DEEPER_OK && i < network->layer_count; i++)
        read_candidates(&t->kinds[i], &network->layers[i]);
    return status;
}

/* Candidates of the kind that has the most. */
static int max_candidates(const tuner *t) {
    int max = 0;
    for (int i = 0; i < t->network->layer_count; i++)
        max = t->kinds[i].count > max ? t->kinds[i].count : max;
    return max;
}

/* ------------------------------------------------------------------------------------ measuring */

static deeper_status choose(tuner *t, int number, dp_tuning_choice choice, deeper_error *error) {
    return dp_tuning_put(&t->tuning, &(dp_tuned){ t->network->layers[number].key, choice }, error);
}

/* Whether a step is of a kind: a convolution, or what brings the picture before one over its
 * phases. */
static bool belongs(const dp_tuning_key *key, const dp_plan *plan, int step) {
    dp_plan_step info = dp_plan_step_at(plan, step);
    bool brings = strcmp(info.kind, "phases") == 0 || strcmp(info.kind, "input") == 0;
    return info.chosen.key.channels ? dp_tuning_same_key(&info.chosen.key, key)
                                    : key->phases > 1 && brings;
}

/* What each kind takes in one session's plan, the fastest of some runs. */
static deeper_status measure_way(tuner *t, dp_session *session, int way, deeper_error *error) {
    const dp_plan *plan = session->plan;
    dp_profile *profile = NULL;
    DP_TRY(dp_profile_create(&profile, plan, error));
    for (int i = 0; i < t->network->layer_count; i++)
        t->seconds[i][way] = INFINITY;
    for (int run = -WARM_RUNS; run < RUNS; run++) {
        session->profile = run < 0 ? NULL : profile;
        dp_profile_clear(profile);
        run_once(t, session);
        for (int i = 0; run >= 0 && i < t->network->layer_count; i++) {
            double sum = 0;
            for (int step = 0; step < dp_plan_steps(plan); step++)
                sum += belongs(&t->network->layers[i].key, plan, step) ? profile->seconds[step] : 0;
            t->seconds[i][way] = fmin(t->seconds[i][way], sum);
        }
    }
    session->profile = NULL;
    dp_profile_free(profile);
    return DEEPER_OK;
}

/* What each kind takes in a plan of the tuning as it is. */
static deeper_status measure(tuner *t, deeper_error *error) {
    trial probe;
    DP_TRY(trial_begin(&probe, t, error));
    deeper_status status = DEEPER_OK;
    for (int way = 0; status == DEEPER_OK && way < t->network->ways; way++)
        status = measure_way(t, probe.sessions[way], way, error);
    trial_end(&probe);
    return status == DEEPER_OK ? step_done(t, error) : status;
}

/* Takes the last measurement of a kind over into its fastest times. */
static void take_fastest(const tuner *t, int number, double fastest[WAYS]) {
    for (int way = 0; way < t->network->ways; way++)
        fastest[way] = fmin(fastest[way], t->seconds[number][way]);
}

/* How times compare with others: the geometric mean over the numbers of threads. */
static double ratio(const tuner *t, const double times[WAYS], const double others[WAYS]) {
    double product = 1;
    for (int way = 0; way < t->network->ways; way++)
        product *= times[way] / others[way];
    return pow(product, 1.0 / t->network->ways);
}

/* A kind's candidate or finalist in measurement `number` of a round: each once, in other company
 * every round. */
static int turn(int number, int round, int which, int count) {
    return (number + round * (which + 1)) % count;
}

/* Drops what is far behind the model's choice. */
static void drop_slow(const tuner *t, kind *conv) {
    int kept = 1;
    for (int i = 1; i < conv->count; i++) {
        if (ratio(t, conv->fastest[i], conv->fastest[0]) > FAR_BEHIND)
            continue;
        conv->candidates[kept] = conv->candidates[i];
        memcpy(conv->fastest[kept++], conv->fastest[i], sizeof conv->fastest[i]);
    }
    conv->count = kept;
}

static deeper_status screen(tuner *t, deeper_error *error) {
    const uint64_t rest = FINALISTS * FINAL_ROUNDS + (uint64_t)(2 * PAIRS * t->network->ways);
    for (int round = 0; round < SCREEN_ROUNDS; round++) {
        const int max = max_candidates(t);
        t->total = t->done + (uint64_t)((SCREEN_ROUNDS - round) * max) + rest;
        for (int number = 0; number < max; number++) {
            for (int i = 0; i < t->network->layer_count; i++) {
                kind *conv = &t->kinds[i];
                DP_TRY(choose(t, i, conv->candidates[turn(number, round, i, conv->count)], error));
            }
            DP_TRY(measure(t, error));
            for (int i = 0; i < t->network->layer_count; i++)
                take_fastest(t, i, t->kinds[i].fastest[turn(number, round, i, t->kinds[i].count)]);
        }
        for (int i = 0; i < t->network->layer_count; i++)
            drop_slow(t, &t->kinds[i]);
    }
    return DEEPER_OK;
}

/* The model's choice, then the fastest others. */
static void pick_finalists(const tuner *t, kind *conv) {
    bool taken[DP_TUNING_CANDIDATES] = { true };
    conv->finalist_count = 1;
    while (conv->finalist_count < FINALISTS && conv->finalist_count < conv->count) {
        int best = -1;
        for (int i = 0; i < conv->count; i++)
            if (!taken[i] && (best < 0 || ratio(t, conv->fastest[i], conv->fastest[best]) < 1))
                best = i;
        taken[best] = true;
        conv->finalists[conv->finalist_count++] = best;
    }
    for (int k = 0; k < FINALISTS; k++)
        for (int round = 0; round < FINAL_ROUNDS; round++)
            for (int way = 0; way < WAYS; way++)
                conv->times[k][round][way] = INFINITY;
}

static deeper_status compare(tuner *t, deeper_error *error) {
    for (int i = 0; i < t->network->layer_count; i++)
        pick_finalists(t, &t->kinds[i]);
    for (int round = 0; round < FINAL_ROUNDS; round++)
        for (int number = 0; number < FINALISTS; number++) {
            for (int i = 0; i < t->network->layer_count; i++) {
                const kind *conv = &t->kinds[i];
                DP_TRY(choose(
                    t, i,
                    conv->candidates[conv->finalists[turn(number, round, i, conv->finalist_count)]],
                    error));
            }
            DP_TRY(measure(t, error));
            for (int i = 0; i < t->network->layer_count; i++)
                take_fastest(
                    t, i,
                    t->kinds[i].times[turn(number, round, i, t->kinds[i].finalist_count)][round]);
        }
    return DEEPER_OK;
}

/* The median over the rounds of a finalist's times with all threads. */
static double median_time(const kind *conv, int finalist) {
    double times[FINAL_ROUNDS];
    for (int round = 0; round < FINAL_ROUNDS; round++)
        times[round] = conv->times[finalist][round][0];
    return dp_median(times, FINAL_ROUNDS);
}

/* The finalist that is clearly faster than the model's choice, if one is. */
static void decide(tuner *t, int number) {
    kind *conv = &t->kinds[number];
    dp_tuned_layer *layer = &t->network->layers[number];
    double min_ratio = CLEARLY, ratios[FINAL_ROUNDS];
    for (int k = 1; k < conv->finalist_count; k++) {
        int faster = 0;
        for (int round = 0; round < FINAL_ROUNDS; round++) {
            ratios[round] = ratio(t, conv->times[k][round], conv->times[0][round]);
            faster += ratios[round] < 1;
        }
        double middle = dp_median(ratios, FINAL_ROUNDS);
        if (middle < min_ratio && faster >= MOSTLY * FINAL_ROUNDS) {
            min_ratio = middle;
            conv->best = k;
        }
    }
    layer->best = conv->candidates[conv->finalists[conv->best]];
    layer->model_seconds = median_time(conv, 0);
    layer->best_seconds = median_time(conv, conv->best);
    t->network->changed += conv->best != 0;
}

/* ----------------------------------------------------------------------------------- whole runs */

/* The median of RUNS runs after one that brings back what the caches hold of the plan. */
static deeper_status whole_run(tuner *t, dp_session *session, double *middle, deeper_error *error) {
    double seconds[RUNS];
    run_once(t, session);
    for (int i = 0; i < RUNS; i++)
        seconds[i] = run_once(t, session);
    *middle = dp_median(seconds, RUNS);
    return step_done(t, error);
}

/* Whole runs of the model's choices and of the best ones, in turns; *middle: the median ratio of
 * their times. */
static deeper_status alternate(tuner *t, const trial *model, const trial *best, int way,
                               double *middle, deeper_error *error) {
    double before[PAIRS], after[PAIRS], ratios[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        if (i % 2)
            DP_TRY(whole_run(t, best->sessions[way], &after[i], error));
        DP_TRY(whole_run(t, model->sessions[way], &before[i], error));
        if (i % 2 == 0)
            DP_TRY(whole_run(t, best->sessions[way], &after[i], error));
        ratios[i] = after[i] / before[i];
    }
    t->network->model_seconds[way] = dp_median(before, PAIRS);
    t->network->best_seconds[way] = dp_median(after, PAIRS);
    *middle = dp_median(ratios, PAIRS);
    return DEEPER_OK;
}

static deeper_status compare_networks(tuner *t, deeper_error *error) {
    trial model = { 0 }, best = { 0 };
    deeper_status status = DEEPER_OK;
    for (int i = 0; status == DEEPER_OK && i < t->network->layer_count; i++)
        status = choose(t, i, t->network->layers[i].model, error);
    if (status == DEEPER_OK)
        status = trial_begin(&model, t, error);
    for (int i = 0; status == DEEPER_OK && i < t->network->layer_count; i++)
        status = choose(t, i, t->network->layers[i].best, error);
    if (status == DEEPER_OK && t->network->changed)
        status = trial_begin(&best, t, error);
    double product = 1;
    for (int way = 0; status == DEEPER_OK && way < t->network->ways; way++) {
        double middle = 1;
        status = alternate(t, &model, t->network->changed ? &best : &model, way, &middle, error);
        product *= middle;
    }
    t->network->slower = t->network->changed && product >= 1;
    trial_end(&model);
    trial_end(&best);
    return status;
}

static void take_back(dp_tuned_network *network) {
    for (int i = 0; i < network->layer_count; i++) {
        network->layers[i].best = network->layers[i].model;
        network->layers[i].best_seconds = network->layers[i].model_seconds;
    }
    network->changed = 0;
}

static void tuner_end(tuner *t) {
    for (int i = 0; t->outputs && i < t->options->output_count; i++)
        dp_free(t->allocator, t->outputs[i]);
    dp_free(t->allocator, t->outputs);
    dp_free(t->allocator, t->kinds);
    dp_free(t->allocator, t->seconds);
    dp_tuning_free(&t->tuning);
}

deeper_status dp_tune(dp_tuned_network *network, const dp_model *model,
                      const dp_tune_options *options, deeper_error *error) {
    const deeper_allocator *allocator = model->allocator;
    tuner t = { .allocator = allocator, .model = model, .options = options, .network = network };
    *network = (dp_tuned_network){ .allocator = allocator };
    t.tuning.allocator = allocator;
    deeper_status status = prepare(&t, error);
    if (status == DEEPER_OK && network->layer_count) {
        status = screen(&t, error);
        if (status == DEEPER_OK)
            status = compare(&t, error);
        for (int i = 0; status == DEEPER_OK && i < network->layer_count; i++)
            decide(&t, i);
        if (status == DEEPER_OK)
            status = compare_networks(&t, error);
        if (status == DEEPER_OK && network->slower)
            take_back(network);
        for (int way = 0; !network->changed && way < WAYS; way++)
            network->best_seconds[way] = network->model_seconds[way];
    }
    tuner_end(&t);
    return status;
}

void dp_tuned_network_free(dp_tuned_network *network) {
    dp_free(network->allocator, network->layers);
    *network = (dp_tuned_network){ .allocator = network->allocator };
}
