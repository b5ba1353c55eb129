/* seeds_names.c - seeds for what is known by its name: networks by torchvision's and timm's names,
 * and recorded tensors by those of their files.
 *
 *     seeds_names FOLDER        fills FOLDER/fuzz_torchvision and FOLDER/fuzz_recording */
#include "helpers/seeds.h"

#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------- networks */

/* A layer with bias: rows, columns, window (0: fully connected). */
typedef struct layer {
    const char *name;
    int rows, columns, window;
} layer;

static const layer alexnet[] = {
    { "features.0", 64, 3, 11 },       { "features.3", 192, 64, 5 },
    { "features.6", 384, 192, 3 },     { "features.8", 256, 384, 3 },
    { "features.10", 256, 256, 3 },    { "classifier.1", 4096, 9216, 0 },
    { "classifier.4", 4096, 4096, 0 }, { "classifier.6", 1000, 4096, 0 },
};
static const layer vgg[] = {
    { "features.0", 64, 3, 3 },     { "features.2", 64, 64, 3 },    { "features.5", 128, 64, 3 },
    { "features.7", 128, 128, 3 },  { "features.10", 256, 128, 3 }, { "features.12", 256, 256, 3 },
    { "features.14", 256, 256, 3 }, { "features.17", 512, 256, 3 }, { "features.19", 512, 512, 3 },
    { "features.21", 512, 512, 3 }, { "features.24", 512, 512, 3 }, { "features.26", 512, 512, 3 },
    { "features.28", 512, 512, 3 },
};
static const layer torchvision[] = { { "classifier.0", 4096, 25088, 0 },
                                     { "classifier.3", 4096, 4096, 0 },
                                     { "classifier.6", 7, 4096, 0 } };
static const layer timm[] = { { "pre_logits.fc1", 4096, 512, 7 },
                              { "pre_logits.fc2", 4096, 4096, 1 },
                              { "head.fc", 1000, 4096, 0 } };

#define LENGTH(list) (int)(sizeof(list) / sizeof *(list))

static void put_layers(FILE *file, const char *wrapper, const layer *layers, int count) {
    for (const layer *row = layers; row < layers + count; row++) {
        fprintf(file, "%s%s.weight %dx%d", wrapper, row->name, row->rows, row->columns);
        if (row->window)
            fprintf(file, "x%dx%d", row->window, row->window);
        fprintf(file, "\n%s%s.bias %d\n", wrapper, row->name, row->rows);
    }
}

/* A convolution and its batch norm. */
static void put_conv(FILE *file, const char *wrapper, const char *block, const char *name, int rows,
                     int columns, int window) {
    static const char *const norm[] = { "weight", "bias", "running_mean", "running_var" };
    fprintf(file, "%s%s%s.conv.weight %dx%dx%dx%d\n", wrapper, block, name, rows, columns, window,
            window);
    for (int i = 0; i < LENGTH(norm); i++)
        fprintf(file, "%s%s%s.bn.%s %d\n", wrapper, block, name, norm[i], rows);
    fprintf(file, "%s%s%s.bn.num_batches_tracked 1\n", wrapper, block, name);
}

static void put_module(FILE *file, const char *wrapper, const char *block, const int widths[7]) {
    put_conv(file, wrapper, block, ".branch1", widths[1], widths[0], 1);
    put_conv(file, wrapper, block, ".branch2.0", widths[2], widths[0], 1);
    put_conv(file, wrapper, block, ".branch2.1", widths[3], widths[2], 3);
    put_conv(file, wrapper, block, ".branch3.0", widths[4], widths[0], 1);
    put_conv(file, wrapper, block, ".branch3.1", widths[5], widths[4], 3);
    put_conv(file, wrapper, block, ".branch4.1", widths[6], widths[0], 1);
}

/* heads: auxiliary ones, of so many classes. */
static void put_googlenet(FILE *file, const char *wrapper, int heads, int head_classes,
                          int classes) {
    static const struct {
        const char *name;
        int widths[7];
    } modules[] = {
        { "inception3a", { 192, 64, 96, 128, 16, 32, 32 } },
        { "inception3b", { 256, 128, 128, 192, 32, 96, 64 } },
        { "inception4a", { 480, 192, 96, 208, 16, 48, 64 } },
        { "inception4b", { 512, 160, 112, 224, 24, 64, 64 } },
        { "inception4c", { 512, 128, 128, 256, 24, 64, 64 } },
        { "inception4d", { 512, 112, 144, 288, 32, 64, 64 } },
        { "inception4e", { 528, 256, 160, 320, 32, 128, 128 } },
        { "inception5a", { 832, 256, 160, 320, 32, 128, 128 } },
        { "inception5b", { 832, 384, 192, 384, 48, 128, 128 } },
    };
    static const char *const aux[] = { "aux1", "aux2" };
    put_conv(file, wrapper, "conv1", "", 64, 3, 7);
    put_conv(file, wrapper, "conv2", "", 64, 64, 1);
    put_conv(file, wrapper, "conv3", "", 192, 64, 3);
    for (int i = 0; i < LENGTH(modules); i++)
        put_module(file, wrapper, modules[i].name, modules[i].widths);
    for (int i = 0; i < heads; i++) {
        put_conv(file, wrapper, aux[i], ".conv", 128, i ? 528 : 512, 1);
        fprintf(file, "%s%s.fc1.weight 1024x2048\n%s%s.fc1.bias 1024\n", wrapper, aux[i], wrapper,
                aux[i]);
        fprintf(file, "%s%s.fc2.weight %dx1024\n%s%s.fc2.bias %d\n", wrapper, aux[i], head_classes,
                wrapper, aux[i], head_classes);
    }
    fprintf(file, "%sfc.weight %dx1024\n%sfc.bias %d\n", wrapper, classes, wrapper, classes);
}

static void make_networks(void) {
    FILE *file = seeds_next();
    put_layers(file, "", alexnet, LENGTH(alexnet));
    seeds_end(file);
    file = seeds_next();
    put_layers(file, "module.", vgg, LENGTH(vgg));
    put_layers(file, "module.", torchvision, LENGTH(torchvision));
    seeds_end(file);
    file = seeds_next();
    put_layers(file, "", vgg, LENGTH(vgg));
    put_layers(file, "", timm, LENGTH(timm));
    seeds_end(file);
    for (int heads = 0; heads <= 2; heads++) { /* one head alone is not whole */
        file = seeds_next();
        put_googlenet(file, heads ? "model." : "", heads, 1000, 1000);
        seeds_end(file);
    }
    file = seeds_next(); /* fine-tuned: heads of other classes */
    fputs("copy\n", file);
    put_googlenet(file, "", 2, 1000, 5);
    seeds_end(file);
    file = seeds_next(); /* nothing known */
    fputs("layer1.0.conv1.weight 64x64x3x3\nlayer1.0.conv1.bias 64\n", file);
    seeds_end(file);
}

/* ----------------------------------------------------------------------------- recorded tensors */

static void make_recordings(void) {
    static const char *const folders[] = {
        "conv1_1x2x3x4.f32\npool1_1x24.f32\nprob_24.f32",
        "input_1x2x3x4_bgr.f32\t96\nREADME\t10\n.hidden_24.f32",
        "inception_3a_1x1_1x24x1x1.f32\nno_shape.f32",
        "wrong_1x2x3x5.f32\t96",
        "large_16777217.f32\n_24.f32\nrank_1x1x1x1x1x1x1x1x24.f32",
        "zero_0x3.f32\t0\nx_1x.f32\nx_x1.f32",
        "npz\nPK\005\006",
        "npz\nno zip",
    };
    for (int i = 0; i < LENGTH(folders); i++) {
        FILE *file = seeds_next();
        fputs(folders[i], file);
        seeds_end(file);
    }
}

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_torchvision");
    make_networks();
    seeds_begin("fuzz_recording");
    make_recordings();
    return 0;
}
