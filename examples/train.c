/* train.c - trains GoogLeNet on a folder of class folders and says how well it does after every
 * epoch; Ctrl-C saves and stops, and the same command goes on from there. Build: cc train.c
 * $(pkg-config --cflags --libs deeper) -o train */
#include <deeper/deeper.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    interrupted = number;
}

/* Asked after every step. */
static deeper_control control(void *context) {
    (void)context;
    return interrupted ? DEEPER_STOP : DEEPER_GO_ON;
}

static void event(void *context, const deeper_train_event *e) {
    (void)context;
    if (e->kind == DEEPER_TRAIN_EPOCH)
        printf("epoch %d of %d: loss %.3f, validation top-1 %.3f%s\n", e->epoch, e->epochs, e->loss,
               e->val_top1, e->best ? ", the best" : "");
    else if (e->message) /* a warning, an unreadable picture, a note */
        fprintf(stderr, "%s\n", e->message);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: train DATA RUN [EPOCHS [SIZE]]\n");
        return 2;
    }
    char checkpoints[4096];
    snprintf(checkpoints, sizeof checkpoints, "%s/checkpoints", argv[2]);
    deeper_train_options options = DEEPER_TRAIN_OPTIONS_INIT;
    deeper_train_calls calls = { event, control, NULL };
    deeper_train_result result = { 0 };
    deeper_error error = { 0 };
    options.data = argv[1];
    options.out = argv[2];
    options.resume = access(checkpoints, F_OK) == 0;
    options.architecture = "googlenet:norm=bn"; /* learns faster than the paper's norm=lrn */
    options.epochs = argc > 3 ? atoi(argv[3]) : 30;
    options.image_size = argc > 4 ? atoi(argv[4]) : 0; /* 0: 224 */
    signal(SIGINT, on_interrupt);
    deeper_status status = deeper_train(&options, &calls, &result, sizeof result, &error);
    if (status) {
        fprintf(stderr, "train: %s\n", error.message);
        return 1;
    }
    printf("best: epoch %d, top-1 %.3f; the model is %s/model.safetensors\n", result.best_epoch,
           result.best_top1, argv[2]);
    return 0;
}
