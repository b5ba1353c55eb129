/* runs.h - training runs of a tiny network on coloured patterns, a second or less each, for the
 * tests of training. Why here: several test programs hold runs against one another, and against the
 * same unbroken one. */
#ifndef TEST_HELPERS_RUNS_H
#define TEST_HELPERS_RUNS_H

#include "helpers/helpers.h"
#include "model/model.h"

enum {
    RUN_CLASSES = 3,
    RUN_TRAIN = 16, /* pictures of a class */
    RUN_VAL = 6,
    RUN_EPOCHS = 3,
    RUN_STEPS = 6 /* an epoch's, of 8 pictures each */
};

extern const char *const run_classes[RUN_CLASSES];
extern char *run_root; /* the folder of this program's data and runs */
extern char run_data[TEST_PATH_SIZE], run_val[TEST_PATH_SIZE]; /* the two sets */

/* Make the folder and the two sets, and remove them: for cmocka_run_group_tests. */
int run_setup(void **state);
int run_teardown(void **state);

/* What a run told, and what its host does. */
typedef struct run_host {
    int steps, epochs, warnings, unreadable, notes;
    char warning[DEEPER_MESSAGE_SIZE], named[DEEPER_MESSAGE_SIZE];
    deeper_train_event last; /* of an epoch */
    int at;                  /* step at which `act` is called; 0: never */
    bool at_once;            /* it is called when the run first asks */
    deeper_control (*act)(struct run_host *);
} run_host;

/* A folder `name` of class folders with `count` pictures each, numbered from `first`; set: its
 * path. */
void run_make_set(char set[TEST_PATH_SIZE], const char *name, int classes, int first, int count);

/* path: picture `number` of a class in a set. */
void run_picture_path(char path[TEST_PATH_SIZE], const char *set, const char *name, int number);

/* Options of a run of RUN_EPOCHS in the folder `name` of run_root. */
deeper_train_options run_options(const char *name);

/* deeper_train with the host listening; run_well sets the host to zero first and fails the test if
 * the run fails. */
deeper_status run_do(const deeper_train_options *options, run_host *h, deeper_train_result *result,
                     deeper_error *error);
deeper_train_result run_well(const deeper_train_options *options, run_host *h);

/* The folder of an unbroken run with run_options; made at the first call. */
const char *run_reference(void);

/* Fails the test unless the models of two runs have the same bytes. */
void run_same_results(const char *a, const char *b);

/* Whether a run's folder has a file; the model in one (freed by dp_model_free). */
bool run_has(const char *folder, const char *name);
dp_model *run_open_model(const char *folder, const char *name);

#endif
