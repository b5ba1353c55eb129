/* test_onnx_ending.c - ONNX in: which class probabilities come of what a file ends in. Scores of a
 * picture of three pixels' values come from a Gemm; each case says the nodes after it, from "g",
 * and which values are right. */
#include "formats/formats.h"
#include "helpers/helpers.h"
#include "helpers/onnx_imported.h"
#include "session/session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_CLASSES = 4 };

/* What the answer should be of scores g[classes]: softmax, or a sigmoid of each. */
typedef enum right { SOFTMAX, SIGMOID, TWICE } right;

typedef struct step {
    const char *op, *inputs, *output;
} step;

static const float picture[] = { 1, -2, 0.5F };

/* Bounds 0 and 1, 1/255 and a factor that are constants of every file. */
static void add_constants(maker *m) {
    static const struct {
        const char *name;
        float number;
    } numbers[] = { { "low", 0 },     { "high", 1 },         { "scale", 1.0F / 255 },
                    { "half", 0.5F }, { "percent", 100.0F }, { "two", 2 },
                    { "one", 1 } };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        maker_floats(m, numbers[i].name, NULL, 0)->float_data[0] = numbers[i].number;
}

static maker *make(int classes, const step *steps, size_t count) {
    maker *m = maker_picture(13, 3, 1, 1);
    Onnx__TensorProto *w = maker_floats(m, "w", (int64_t[]){ classes, 3 }, 2);
    for (int i = 0; i < classes * 3; i++)
        w->float_data[i] = (float)(i * 5 % 7 - 2) / 3;
    add_constants(m);
    maker_node(m, "Flatten", "x", "flat");
    maker_int(m, maker_node(m, "Gemm", "flat,w", count ? "g" : "y"), "transB", 1);
    for (size_t i = 0; i < count; i++)
        maker_node(m, steps[i].op, steps[i].inputs, steps[i].output);
    return m;
}

static deeper_status open_made(maker *m, const char *answer, dp_model **model,
                               deeper_error *error) {
    size_t size;
    void *bytes = maker_pack(m, &size);
    deeper_status status =
        dp_model_open_bytes(model, bytes, size, "made", NULL, answer, NULL, error);
    free(bytes);
    maker_free(m);
    return status;
}

static void answer_of(const dp_model *model, float *answer) {
    dp_packs *packs;
    dp_session *session;
    assert_int_equal(dp_packs_create(&packs, NULL, NULL), DEEPER_OK);
    const dp_session_options options = {
        .max_batch = 1, .threads = 1, .outputs = &model->prob, .output_count = 1
    };
    assert_int_equal(dp_session_create(&session, model, packs, &options, NULL), DEEPER_OK);
    dp_session_run(session, picture, 1, (float *const[]){ answer });
    dp_session_free(session);
    dp_packs_free(packs);
}

static void right_answer(int classes, right kind, double *answer) {
    double sum = 0;
    for (int k = 0; k < classes; k++) {
        double score = 0;
        for (int i = 0; i < 3; i++)
            score += (double)((float)((k * 3 + i) * 5 % 7 - 2) / 3) * (double)picture[i];
        answer[k] = kind == SIGMOID ? 1 / (1 + exp(-score)) : exp(score);
        sum += answer[k];
    }
    for (int k = 0; k < classes && kind != SIGMOID; k++)
        answer[k] /= sum;
    sum = 0;
    for (int k = 0; k < classes && kind == TWICE; k++)
        sum += exp(answer[k]);
    for (int k = 0; k < classes && kind == TWICE; k++)
        answer[k] = exp(answer[k]) / sum;
}

static void assert_answer(maker *m, const char *answer, int classes, right kind) {
    dp_model *model = NULL;
    deeper_error error = { 0 };
    float got[MAX_CLASSES];
    double wanted[MAX_CLASSES];
    if (open_made(m, answer, &model, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(model->classes, classes);
    answer_of(model, got);
    right_answer(classes, kind, wanted);
    for (int k = 0; k < classes; k++)
        assert_true(fabs((double)got[k] - wanted[k]) <= 1e-6);
    dp_model_free(model);
}

/* No softmax is put on probabilities, however they come about; scores get one. */
static void test_told_by_the_graph(void **state) {
    static const struct {
        right kind;
        step steps[6];
    } cases[] = {
        { SOFTMAX, { { NULL, NULL, NULL } } },
        { SOFTMAX, { { "Softmax", "g", "y" } } },
        { SOFTMAX, { { "LogSoftmax", "g", "y" } } },
        { SOFTMAX, { { "LogSoftmax", "g", "l" }, { "Identity", "l", "y" } } },
        { SOFTMAX, { { "LogSoftmax", "g", "l" }, { "Exp", "l", "y" } } },
        { SOFTMAX, { { "Softmax", "g", "s" }, { "Log", "s", "y" } } },
        { TWICE, { { "Softmax", "g", "s" }, { "LogSoftmax", "s", "y" } } },
        { SOFTMAX, { { "Softmax", "g", "s" }, { "Identity", "s", "y" } } },
        { SOFTMAX, { { "Softmax", "g", "s" }, { "Clip", "s,low,high", "y" } } },
        { SOFTMAX, { { "Softmax", "g", "s" }, { "Dropout", "s", "y" } } },
        { SOFTMAX,
          { { "Softmax", "g", "s" },
            { "QuantizeLinear", "s,scale", "q" },
            { "DequantizeLinear", "q,scale", "y" } } },
        { SOFTMAX,
          { { "Softmax", "g", "s" },
            { "Add", "s,s", "t" },
            { "Sum", "s,t,s", "u" },
            { "Mul", "u,half", "v" },
            { "Mul", "v,half", "y" } } },
        { SOFTMAX, { { "Softmax", "g", "s" }, { "Mul", "s,percent", "y" } } },
        { SIGMOID, { { "Sigmoid", "g", "y" } } },
        { SIGMOID, { { "Sigmoid", "g", "s" }, { "Clip", "s,low,high", "y" } } },
        { SIGMOID,
          { { "Mul", "g,one", "h" },
            { "Sub", "low,h", "n" },
            { "Sigmoid", "n", "s" },
            { "Sub", "one,s", "y" } } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0;
        while (count < 6 && cases[i].steps[count].op)
            count++;
        assert_answer(make(4, cases[i].steps, count), NULL, 4, cases[i].kind);
    }
}

/* What cannot be told is asked for, and the answer is then what was said. */
static void test_asked_for(void **state) {
    static const struct {
        int classes;
        step steps[4];
    } cases[] = {
        { 4, { { "Sigmoid", "g", "s" }, { "Mul", "s,two", "t" }, { "Sub", "t,one", "y" } } },
        { 4, { { "Softmax", "g", "s" }, { "Gemm", "s,w2", "y" } } },
        { 4,
          { { "Sigmoid", "g", "a" }, { "Concat", "a,g", "b" }, { "Slice", "b,b0,b4,b1", "y" } } },
        { 1, { { NULL, NULL, NULL } } },
    };
    static int64_t numbers[] = { 0, 4, 1 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0;
        while (count < 4 && cases[i].steps[count].op)
            count++;
        for (int asked = 0; asked < 2; asked++) {
            dp_model *model = NULL;
            deeper_error error = { 0 };
            maker *m = make(cases[i].classes, cases[i].steps, count);
            maker_floats(m, "w2", (int64_t[]){ 4, 4 }, 2);
            maker_list(m, "b0", &numbers[0], 1);
            maker_list(m, "b4", &numbers[1], 1);
            maker_list(m, "b1", &numbers[2], 1);
            if (i == 2)
                maker_int(m, &m->nodes[3], "axis", 1);
            deeper_status status = open_made(m, asked ? "as-is" : NULL, &model, &error);
            assert_int_equal(status, asked ? DEEPER_OK : DEEPER_ERROR_UNSUPPORTED);
            if (!asked)
                assert_non_null(strstr(error.message, "softmax, sigmoid or as-is"));
            dp_model_free(model);
        }
    }
    assert_answer(make(4, NULL, 0), "sigmoid", 4, SIGMOID);
    assert_answer(make(4, NULL, 0), "softmax", 4, SOFTMAX);
    assert_answer(make(4, (step[]){ { "Softmax", "g", "y" } }, 1), "softmax", 4, TWICE);

    dp_model *model = NULL;
    deeper_error error = { 0 };
    assert_int_equal(open_made(make(1, NULL, 0), "softmax", &model, &error),
                     DEEPER_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "a softmax of one score is always 1"));
    assert_int_equal(open_made(make(4, NULL, 0), "logits", &model, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "'logits' is none of"));
}

/* One probability is of class 1, and class 0 has the rest; with one label it is alone. */
static void test_one_probability(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "labels.txt");
    test_write(path, "yes\n", 4);
    double wanted;
    float got[2];
    right_answer(1, SIGMOID, &wanted);
    for (int told = 0; told < 2; told++) {
        dp_model *model = NULL;
        maker *m = told ? make(1, (step[]){ { "Sigmoid", "g", "y" } }, 1) : make(1, NULL, 0);
        assert_int_equal(open_made(m, told ? NULL : "sigmoid", &model, NULL), DEEPER_OK);
        assert_int_equal(model->classes, 2);
        answer_of(model, got);
        assert_true(fabs((double)got[0] - (1 - wanted)) < 1e-6
                    && fabs((double)got[1] - wanted) < 1e-6);
        assert_int_equal(dp_model_read_labels(model, path, NULL), DEEPER_OK);
        assert_int_equal(model->classes, 1);
        answer_of(model, got);
        assert_true(fabs((double)got[0] - wanted) < 1e-6);
        dp_model_free(model);
    }
    test_folder_remove(folder);
    /* A network of one class, as deeper writes it: always 1, and no second class. */
    const step softmax = { "Softmax", "g", "y" };
    assert_answer(make(1, &softmax, 1), NULL, 1, SOFTMAX);
}

/* Only the end of a network may be a logarithm. */
static void test_logarithm_inside(void **state) {
    imported_assert_refused(
        make(4, (step[]){ { "LogSoftmax", "g", "l" }, { "Relu", "l", "y" } }, 2),
        DEEPER_ERROR_UNSUPPORTED, "node y (Relu): its input l is the logarithm of a softmax");
    imported_assert_refused(make(4, (step[]){ { "Log", "g", "y" } }, 1), DEEPER_ERROR_UNSUPPORTED,
                            "node y (Log): a logarithm of anything but a softmax");
    imported_assert_refused(make(4, (step[]){ { "Exp", "g", "y" } }, 1), DEEPER_ERROR_UNSUPPORTED,
                            "node y (Exp): an exponential of anything but");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_by_the_graph),
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_one_probability),
        cmocka_unit_test(test_logarithm_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
