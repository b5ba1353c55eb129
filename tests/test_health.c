/* test_health.c - the watch over a run on made-up numbers: what it must say, when, and what it must
 * keep silent about. */
#include "train/run/health.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 10, UNITS = 8 };

static dp_health *open(int heads, double warmup) {
    static const dp_health_layer layers[] = { { "conv1", 0, 4 }, { "conv2", 4, 4 } };
    const dp_health_options options = { .heads = heads,
                                        .head_names = { "main", "aux1", "aux2" },
                                        .guess = log(CLASSES),
                                        .warmup = warmup,
                                        .layers = layers,
                                        .layer_count = 2 };
    dp_health *health = NULL;
    assert_int_equal(dp_health_create(&health, &options, NULL, NULL), DEEPER_OK);
    return health;
}

static const float alive[UNITS] = { 1, -1, 1, 1, 1, 1, 1, 1 };

/* Steps with these losses until the watch speaks, at most `max_steps`; which step, 0: silence. */
static int run(dp_health *health, const double *losses, const float *gradients, int max_steps,
               char *message) {
    for (int step = 1; step <= max_steps; step++)
        if (dp_health_look(health, losses, 1, gradients, message))
            return step;
    return 0;
}

static void test_all_still(void **state) {
    char message[DEEPER_MESSAGE_SIZE];
    const double losses[] = { log(CLASSES), log(CLASSES) * 1.5, log(CLASSES) * 0.985 };
    dp_health *health = open(3, 0);
    assert_int_equal(run(health, losses, alive, 1000, message), 200);
    assert_non_null(strstr(message, "head main does not learn"));
    assert_int_equal(run(health, losses, alive, 1000, message), 1);
    assert_non_null(strstr(message, "aux1"));
    assert_int_equal(run(health, losses, alive, 1000, message), 1);
    assert_non_null(strstr(message, "aux2"));
    assert_int_equal(run(health, losses, alive, 1000, message), 0); /* once each */
    dp_health_free(health);
}

/* Caffe's famous run: the lowest head learns, the others stand at guessing. */
static void test_one_moves(void **state) {
    char message[DEEPER_MESSAGE_SIZE];
    const double losses[] = { log(CLASSES), 1.2, 1.4 };
    dp_health *health = open(3, 100000);
    assert_int_equal(run(health, losses, alive, 1000, message), 200);
    assert_non_null(strstr(message, "head main"));
    assert_non_null(strstr(message, "lower rate"));
    assert_int_equal(run(health, losses, alive, 1000, message), 0);
    dp_health_free(health);
}

/* While the rate still grows all heads may stand still for a while, but not for ever. */
static void test_warmup(void **state) {
    char message[DEEPER_MESSAGE_SIZE];
    const double losses[] = { log(CLASSES) };
    dp_health *health = open(1, 100);
    assert_int_equal(run(health, losses, alive, 1000, message), 300);
    dp_health_free(health);
    health = open(1, 100000);
    assert_int_equal(run(health, losses, alive, 1000, message), 500);
    dp_health_free(health);
}

static void test_learning_is_silent(void **state) {
    char message[DEEPER_MESSAGE_SIZE];
    dp_health *health = open(1, 0);
    for (int step = 0; step < 2000; step++) {
        double noise = 0.2 * sin(step * 12.9898),
               loss = log(CLASSES) * (0.5 + 0.5 * exp(-step / 200.0)) + noise;
        if (dp_health_look(health, &loss, 2 + noise, alive, message))
            fail_msg("step %d: %s", step, message);
    }
    dp_health_free(health);
}

static void test_dead_units(void **state) {
    char message[DEEPER_MESSAGE_SIZE];
    const double losses[] = { 1 };
    const float half[UNITS] = { 1, 1, 1, 1, 0, 0, 1, 1 },
                dead_layer[UNITS] = { 1, 1, 1, 1, 0, 0, -0.0F, 1 };
    dp_health *health = open(1, 0);
    assert_int_equal(run(health, losses, half, 300, message), 0); /* not more than half */
    assert_int_equal(run(health, losses, dead_layer, 300, message), 100);
    assert_non_null(strstr(message, "layer conv2: 75 %"));
    assert_int_equal(run(health, losses, dead_layer, 300, message), 0);
    dp_health_free(health);
    health = open(1, 0);
    const float none[UNITS] = { 0, 0, 0, 1 };
    assert_int_equal(run(health, losses, none, 300, message), 100);
    assert_non_null(strstr(message, "88 % of all units"));
    assert_int_equal(run(health, losses, none, 300, message), 0);
    dp_health_free(health);
    health = open(1, 0);
    for (int i = 0; i < 10; i++) { /* units that wake now and then are not dead */
        assert_int_equal(run(health, losses, dead_layer, 99, message), 0);
        assert_int_equal(run(health, losses, alive, 1, message), 0);
    }
    dp_health_free(health);
}

static void test_explosion(void **state) {
    char message[DEEPER_MESSAGE_SIZE];
    const double losses[] = { 1 };
    dp_health *health = open(1, 0);
    assert_int_equal(run(health, losses, alive, 30, message), 0);
    assert_false(dp_health_look(health, losses, 50, alive, message));
    assert_true(dp_health_look(health, losses, 1000, alive, message));
    assert_non_null(strstr(message, "explodes"));
    assert_false(dp_health_look(health, losses, 1000, alive, message));
    dp_health_free(health);
}

/* A validation loss that rises for three epochs, by 5 %, while the training loss falls. */
static void test_overfitting(void **state) {
    dp_report_epoch epochs[] = { { .epoch = 1, .train_loss = 2, .val_losses = { 1.5 } },
                                 { .epoch = 2, .train_loss = 1, .val_losses = { 1 } },
                                 { .epoch = 3, .train_loss = 0.8, .val_losses = { 1.2 } },
                                 { .epoch = 4, .train_loss = 0.7, .val_losses = { 1.1 } },
                                 { .epoch = 5, .train_loss = 0.6, .val_losses = { 1.06 } } };
    char message[DEEPER_MESSAGE_SIZE];
    for (size_t count = 1; count <= 4; count++)
        assert_false(dp_health_overfits(epochs, count, "x", message));
    assert_true(dp_health_overfits(epochs, 5, "x", message));
    assert_non_null(
        strstr(message, "x: since epoch 2 the validation loss rose from 1.000 to 1.060"));
    epochs[4].val_losses[0] = 1.04;
    assert_false(dp_health_overfits(epochs, 5, "x", message));
    epochs[4].val_losses[0] = 1.06;
    epochs[4].train_loss = 0.97;
    assert_false(dp_health_overfits(epochs, 5, "x", message));
    epochs[1].val_losses[0] = NAN; /* a diverged epoch is not the least */
    epochs[0].val_losses[0] = 1;
    epochs[4].train_loss = 0.6;
    assert_true(dp_health_overfits(epochs, 5, "x", message));
    assert_non_null(strstr(message, "since epoch 1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overfitting),        cmocka_unit_test(test_all_still),
        cmocka_unit_test(test_one_moves),          cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_learning_is_silent), cmocka_unit_test(test_dead_units),
        cmocka_unit_test(test_explosion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
