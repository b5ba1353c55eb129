/* deeper.h - the one public header of libdeeper: GoogLeNet ("Going Deeper with Convolutions", 2014)
 * on an ordinary CPU. One file because a user of the library includes, reads and searches one.
 *
 * A complete program (examples/classify.c is the same with its errors checked):
 *
 *     #include <deeper/deeper.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv) {
 *         deeper_model *model = NULL;
 *         deeper_session *session = NULL;
 *         deeper_image *image = NULL;
 *         deeper_prediction top[5];
 *         deeper_error error = {0};
 *         size_t found = 0;
 *         if (argc != 3
 *             || deeper_model_open(&model, argv[1], NULL, &error)
 *             || deeper_session_create(&session, model, NULL, &error)
 *             || deeper_image_open(&image, argv[2], NULL, &error)
 *             || deeper_classify(session, image, 1, top, 5, &found, &error))
 *             fprintf(stderr, "%s\n", argc == 3 ? error.message : "usage: classify MODEL IMAGE");
 *         for (size_t i = 0; i < found; i++)
 *             printf("%.3f %s\n", top[i].probability, top[i].name);
 *         deeper_image_close(image);
 *         deeper_session_free(session);
 *         deeper_model_close(model);
 *         return found ? 0 : 1;
 *     }
 *
 * Conventions that hold for every call:
 *   - A call that can fail returns deeper_status, takes its result first and `deeper_error *error`
 *     last. `error` may be NULL; on failure it holds a one-line message that names the file, field
 *     or argument at fault and, where there is one, the remedy. On failure every result pointer is
 *     NULL or untouched, and nothing is half-written on disk.
 *   - _open/_create pairs with _close/_free, which accept NULL. Const pointers are borrowed for the
 *     call unless stated. An allocator is copied; NULL stands for malloc.
 *   - Structures whose first member is `size` are versioned: begin each as the matching _INIT, an
 *     expression that has its size and its defaults. Others begin as {0}, which C++ writes {}.
 *   - A structure that a call fills for the caller is followed by its size (&layer, sizeof layer):
 *     the call writes what both sides know of it, and zeros past that. One that the library makes
 *     and shows to a callback is read in place. So all may grow at their ends, but for
 *     deeper_error, deeper_allocator, deeper_source, the ..._calls, and what arrays are made of:
 *     deeper_prediction, deeper_rate_point, deeper_tuning_set, deeper_box, deeper_truth,
 *     deeper_detection.
 *   - A deeper_model, deeper_image, deeper_dataset, deeper_scores or deeper_box_scores does not
 *     change once it is made and may be shared between threads. A deeper_session is used by one
 *     thread at a time; make one session a thread.
 *   - A child of fork may use and free what its parent made, sessions too (theirs start threads of
 *     their own), but not return from a callback that the fork was made in.
 *   - The floating-point environment of the caller (rounding, traps, flags, denormals) changes no
 *     result and is the same after a call. During one it is the default, in callbacks too.
 *   - The library never prints, exits or aborts, and keeps no mutable global state except the table
 *     of what the CPU can do, which is made once.
 *   - Texts are UTF-8, paths bytes as the system has them. An index past the last gives NULL, "" or
 *     0, or an error where there is one to give.
 *   - Shapes are written N (images) C (channels) H (rows) W (columns); floats are IEEE binary32 in
 *     native order. */
#ifndef DEEPER_DEEPER_H
#define DEEPER_DEEPER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(DEEPER_BUILD)
#define DEEPER_API __attribute__((visibility("default")))
#else
#define DEEPER_API
#endif

/* What a structure begins as, in C and in C++. */
#ifdef __cplusplus
#define DEEPER_ZEROED                                                                              \
    {}
#else
#define DEEPER_ZEROED                                                                              \
    { 0 }
#endif

#define DEEPER_VERSION_MAJOR 0
#define DEEPER_VERSION_MINOR 2
#define DEEPER_VERSION_PATCH 0

/* "MAJOR.MINOR.PATCH" of the library that is linked. Static; do not free. */
DEEPER_API const char *deeper_version(void);

/* --------------------------------------------------------------------------------------- errors */

typedef enum deeper_status {
    DEEPER_OK = 0,
    DEEPER_ERROR_ARGUMENT,    /* the caller passed something that the call does not take */
    DEEPER_ERROR_MEMORY,      /* an allocation failed, here or in a codec */
    DEEPER_ERROR_IO,          /* the system refused to open, read, write or rename */
    DEEPER_ERROR_FORMAT,      /* a file is not what it says it is, is damaged or is cut short */
    DEEPER_ERROR_UNSUPPORTED, /* a sound file or request that this build cannot serve; the message
                                 says what would */
    DEEPER_ERROR_MISMATCH,    /* names, shapes or labels of two things that must agree do not */
    DEEPER_ERROR_LIMIT,       /* larger than a stated limit (pixels, header bytes, nodes) */
    DEEPER_ERROR_STOPPED,     /* a callback of the caller asked to stop */
    DEEPER_ERROR_NUMBER /* a result that is not a number: of weights that are none, or overflow */
} deeper_status;

/* The fixed text of a status, such as "out of memory". Static; never NULL. */
DEEPER_API const char *deeper_status_text(deeper_status status);

#define DEEPER_MESSAGE_SIZE 512

typedef struct deeper_error {
    deeper_status status;
    int64_t offset;                    /* byte in the file at fault, or -1 */
    char message[DEEPER_MESSAGE_SIZE]; /* one line, UTF-8 as far as the names in it are, no
                                          newline */
} deeper_error;

/* What a callback wants of a long call that asks it (`control`, the sink of a stream). */
typedef enum deeper_control {
    DEEPER_GO_ON = 0,
    DEEPER_SAVE, /* keep what there is now on disk, where the call keeps anything, and go on */
    DEEPER_STOP  /* the same, and end with DEEPER_ERROR_STOPPED */
} deeper_control;

/* --------------------------------------------------------------------------------------- memory */

/* Where the library's own allocations come from. `allocate` returns `size` bytes aligned to
 * `alignment` (a power of two, at most 4096) or NULL; `release` takes what it returned (never
 * NULL). Both may be called from several threads at once. The codecs (libjpeg-turbo, libpng,
 * libwebp, zlib, libarchive, libzip, jansson, expat, libyaml, protobuf-c) allocate with malloc. */
typedef struct deeper_allocator {
    void *(*allocate)(void *context, size_t size, size_t alignment);
    void (*release)(void *context, void *pointer);
    void *context;
} deeper_allocator;

/* --------------------------------------------------------------------------------------- models */

typedef struct deeper_model deeper_model;

typedef struct deeper_model_options {
    size_t size;
    const deeper_allocator *allocator;
    const char *labels; /* a file that replaces the model's label table, or NULL: a line for each
                           class, "ID NAME" where all first words have one form with a number in it
                           (n01440764), else a name */
    const char *preprocess; /* how a picture becomes the input, in place of what the model says: a
                               name that deeper_preprocessing lists, or a JSON object as the model
                               file keeps it (docs/FORMATS.md); NULL: as the model says */
    int check_values; /* 1: a value of a parameter that is no finite number is DEEPER_ERROR_FORMAT,
                         which names it; all of them are looked at */
    const char *answer; /* ONNX: what makes class probabilities of the file's output: "softmax",
                           "sigmoid" (each class for itself) or "as-is"; NULL: what its graph shows,
                           and DEEPER_ERROR_UNSUPPORTED where that does not show it. Of one
                           probability p, classes 0 and 1 have 1 - p and p, or class 0, where the
                           labels have one line, p */
    int mapped; /* 0: the model owns its values, and what becomes of its file changes nothing. 1:
                   the values of a safetensors file stay in the file, mapped: some milliseconds and,
                   once a session has packed them, all of their memory are saved. The file must then
                   keep its bytes until the model is closed: to shorten it ends the process by
                   SIGBUS, to write into it changes answers. To rename another file over it, as
                   deeper does with all that it writes, is no harm. */
} deeper_model_options;
static inline deeper_model_options deeper_model_options_init(void) {
    deeper_model_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_MODEL_OPTIONS_INIT deeper_model_options_init()

/* Opens a model file of any format that deeper_model_save writes, an ONNX file of another program,
 * a published caffemodel (GoogLeNet, AlexNet, CaffeNet, NIN, VGG-16), or a PyTorch state dict,
 * safetensors or npz with the names of torchvision's googlenet, alexnet or vgg16; the preprocessing
 * and labels that were published with such weights are set. The format is found by content. options
 * may be NULL. */
DEEPER_API deeper_status deeper_model_open(deeper_model **model, const char *path,
                                           const deeper_model_options *options,
                                           deeper_error *error);

/* A network by name, without parameter values (enough for deeper_model_layer and friends;
 * deeper_model_initialize gives it values). architecture: a name that deeper_architecture lists,
 * optionally followed by options: "googlenet:norm=bn,stem=separable". classes: outputs of the last
 * layer. image_size: side of the square input in pixels. */
DEEPER_API deeper_status deeper_model_create(deeper_model **model, const char *architecture,
                                             int classes, int image_size,
                                             const deeper_model_options *options,
                                             deeper_error *error);

/* Gives every parameter a value: xavier uniform weights, zero biases, from `seed` alone. For models
 * of deeper_model_create. Not thread-safe against other uses of the model. */
DEEPER_API deeper_status deeper_model_initialize(deeper_model *model, uint64_t seed,
                                                 deeper_error *error);

/* Writes a model file in the format that the ending of `path` says. Atomic: the old file stays
 * until the new one is complete. ".safetensors" is deeper's own; deeper_model_open reads it,
 * ".npz", ".onnx" and ".caffemodel" back to the same bits (an ONNX file leaves out auxiliary
 * heads). Beside a caffemodel a .prototxt appears. Errors: ARGUMENT (another ending), UNSUPPORTED
 * (a layer that the format cannot say, named), IO. */
DEEPER_API deeper_status deeper_model_save(const deeper_model *model, const char *path,
                                           deeper_error *error);

typedef struct deeper_export_options {
    size_t size;
    int with_preprocessing; /* ONNX: channel order, mean and scale as a part of the network, whose
                               input is then RGB of 0..255 */
    int *heads_left_out;    /* NULL, or set to 1 where the format cannot say the model's auxiliary
                               heads (ONNX; caffemodel of small    pictures), else to 0 */
} deeper_export_options;
static inline deeper_export_options deeper_export_options_init(void) {
    deeper_export_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_EXPORT_OPTIONS_INIT deeper_export_options_init()

/* The same with options, which may be NULL. Errors: also ARGUMENT (an option that the format does
 * not have). */
DEEPER_API deeper_status deeper_model_export(const deeper_model *model, const char *path,
                                             const deeper_export_options *options,
                                             deeper_error *error);

/* The endings of the formats that deeper_model_save writes (".safetensors" first), with one line on
 * each; NULL past the last. */
DEEPER_API const char *deeper_model_ending(size_t index, const char **description);

/* Frees the model. Sessions made from it must be freed first. */
DEEPER_API void deeper_model_close(deeper_model *model);

/* What a model says about itself. Keys: "architecture" ("googlenet"), "options"
 * ("norm=lrn,stem=full,..."), "preprocessing" (one readable line), "recipe" (the name of the
 * published preprocessing that it is), "preprocess" (the same as JSON), "features" (the layer that
 * its classifier reads), "source" (where the weights came from), "format" (of the file). NULL if
 * unknown. Lives as long as the model. */
DEEPER_API const char *deeper_model_text(const deeper_model *model, const char *key);

/* Classes, and the id ("n02123159") and name ("tiger cat") of one; "" where the model has no label
 * table. Lives with the model. */
DEEPER_API size_t deeper_model_classes(const deeper_model *model);
DEEPER_API const char *deeper_model_class_id(const deeper_model *model, size_t index);
DEEPER_API const char *deeper_model_class_name(const deeper_model *model, size_t index);

/* Side in pixels of the model's square input, and its channels. */
DEEPER_API int deeper_model_image_size(const deeper_model *model);
DEEPER_API int deeper_model_channels(const deeper_model *model);

/* The name of the model's input, "data"; lives with the model. */
DEEPER_API const char *deeper_model_input_name(const deeper_model *model);

/* One layer (graph node) of a model, in order of computation. Counts are for one image; a
 * multiply-add counts once. */
typedef struct deeper_layer {
    const char *name;            /* Caffe's name, "inception_3a/3x3_reduce"; lives with the model */
    const char *operation;       /* "conv", "max_pool", ... */
    int channels, height, width; /* of its output */
    int window_height, window_width; /* 0 where the operation has no window */
    int stride_height, stride_width;
    int auxiliary; /* 1: part of an auxiliary head, which inference leaves out */
    uint64_t parameters;
    uint64_t multiply_adds;
    uint64_t output_bytes;
} deeper_layer;

DEEPER_API size_t deeper_model_layers(const deeper_model *model);
DEEPER_API deeper_status deeper_model_layer(const deeper_model *model, size_t index,
                                            deeper_layer *layer, size_t size, deeper_error *error);

/* The layers whose outputs a layer reads: fills inputs[0..capacity-1] with their indices, in order,
 * and returns how many there are (0 for the input, and for an index past the last). */
DEEPER_API size_t deeper_model_layer_inputs(const deeper_model *model, size_t index, size_t *inputs,
                                            size_t capacity);

/* Parameters and multiply-adds of the network as inference runs it, or with its auxiliary heads. */
DEEPER_API uint64_t deeper_model_parameters(const deeper_model *model, int with_auxiliary_heads);
DEEPER_API uint64_t deeper_model_multiply_adds(const deeper_model *model, int with_auxiliary_heads);

/* The architectures that deeper_model_create knows: name and one line on it; NULL past the last
 * index. */
DEEPER_API const char *deeper_architecture(size_t index, const char **description);

/* Option `index` of an architecture; NULL past the last. *choices (may be NULL) receives its
 * values, "lrn|bn|none", the first of which is the default, or NULL where it is a number of
 * range[0] to range[1] (may be NULL). */
DEEPER_API const char *deeper_architecture_option(size_t architecture, size_t index,
                                                  const char **choices, double range[2]);

/* The published kinds of preprocessing: name and one line on it with its source; NULL past the last
 * index. */
DEEPER_API const char *deeper_preprocessing(size_t index, const char **description);

/* ------------------------------------------------------------------------------------- sessions */

typedef struct deeper_session deeper_session;

typedef struct deeper_session_options {
    size_t size;
    int max_batch; /* images a run may take; 0: 1 */
    int threads; /* 0: DEEPER_THREADS, else the processors this process may use (affinity and cgroup
                    quota) */
    const char *const *
        outputs; /* names of the layers whose output a run returns; NULL: the class probabilities */
    size_t output_count;
    int direct; /* not 0: convolutions by the direct product alone, without Winograd's algorithm:
                 * slower, other bits in the last places, a third of the packed weights */
    const char *tuning; /* a file of deeper_tune, whose choices are taken for the convolutions that
                         * it has; NULL: none. Other bits in the last places where a choice differs
                         * from the library's own. Training never uses one */
    const char *plan_pass; /* what deeper_session_plan shows: the outcome of this pass of the
                            * planner, one of deeper_plan_passes; NULL: the plan */
    uint64_t max_memory;   /* MB of 2^20 bytes that the activations and packed weights may take; 0:
                              activations of 1024 for each image that is computed at once (a few bytes
                              of a model file can ask for any size) */
} deeper_session_options;
static inline deeper_session_options deeper_session_options_init(void) {
    deeper_session_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_SESSION_OPTIONS_INIT deeper_session_options_init()

/* Plans the model for these options and allocates all that a run needs. The instruction set is the
 * best this CPU has, or the one that the environment's DEEPER_ISA names (portable, avx2, avx512,
 * neon). options may be NULL. The model must outlive the session. Errors of a tuning: those of
 * deeper_tuning_check. */
DEEPER_API deeper_status deeper_session_create(deeper_session **session, const deeper_model *model,
                                               const deeper_session_options *options,
                                               deeper_error *error);
DEEPER_API void deeper_session_free(deeper_session *session);

/* Output `index` of a session: floats an image, and its shape C, H, W (shape may be NULL). */
DEEPER_API size_t deeper_session_output_size(const deeper_session *session, size_t index,
                                             int shape[3]);

/* Runs `count` images (1..max_batch): input is N x C x H x W as the network takes it (see
 * deeper_prepare for pictures); outputs[i] receives count x deeper_session_output_size(i) floats in
 * NCHW order. No allocation. The same image gives the same bits whatever its batch or the number of
 * threads. */
DEEPER_API deeper_status deeper_session_run(deeper_session *session, const float *input, int count,
                                            float *const *outputs, deeper_error *error);

/* The plan as text, a line a step, with algorithm, shapes, arena offsets and peak bytes; or what a
 * pass of the planner decided, if the session was made to show one. Lives with the session. */
DEEPER_API const char *deeper_session_plan(const deeper_session *session);

/* The passes of the planner in their order, "simplify|choose|...". Static. */
DEEPER_API const char *deeper_plan_passes(void);

/* Bytes of activations and workspace that the session holds, and of packed weights that its plan
 * uses. */
DEEPER_API void deeper_session_memory(const deeper_session *session, size_t *arena_bytes,
                                      size_t *packed_bytes);

/* Instruction set and threads that the session was made for. */
DEEPER_API const char *deeper_session_isa(const deeper_session *session);
DEEPER_API int deeper_session_threads(const deeper_session *session);

/* Runs from now on use `threads` (1..deeper_session_threads) threads, the others sleep: a program
 * with several sessions decides which gets the processors. The same bits. */
DEEPER_API deeper_status deeper_session_set_threads(deeper_session *session, int threads,
                                                    deeper_error *error);

/* Steps of the session's plan that are computed as its tuning says. */
DEEPER_API int deeper_session_tuned(const deeper_session *session);

/* --------------------------------------------------------------------------------------- images */

typedef struct deeper_image deeper_image;

typedef struct deeper_image_options {
    size_t size;
    const deeper_allocator *allocator;
    uint64_t max_pixels; /* larger pictures are refused before memory is taken; 0: 178,956,970
                            (Pillow's limit) */
    int min_side; /* a JPEG may be decoded at 1/2, 1/4, 1/8 as long as its short side keeps this; 0:
                     full */
    int ignore_orientation; /* 1: do not apply EXIF orientation */
    int borrow; /* 1: deeper_image_from_pixels does not copy RGB, which must then stay as it is
                   until deeper_image_close */
    uint64_t max_memory; /* MB of 2^20 bytes: a picture whose decoding takes more is refused, 6
                            bytes a pixel and what the format needs besides [0: 1024] */
} deeper_image_options;
static inline deeper_image_options deeper_image_options_init(void) {
    deeper_image_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_IMAGE_OPTIONS_INIT deeper_image_options_init()

/* Decodes a picture (JPEG, PNG, WebP, PNM, BMP, and where built with their libraries HEIC, AVIF,
 * TIFF and GIF; found by content) to 8-bit RGB. Alpha is composed over white. A picture that is cut
 * short is an error. `name` stands for the file in messages. */
DEEPER_API deeper_status deeper_image_open(deeper_image **image, const char *path,
                                           const deeper_image_options *options,
                                           deeper_error *error);
DEEPER_API deeper_status deeper_image_decode(deeper_image **image, const void *bytes, size_t size,
                                             const char *name, const deeper_image_options *options,
                                             deeper_error *error);

/* Bytes of a pixel in memory, in this order; alpha is composed over white. */
typedef enum deeper_pixel_format {
    DEEPER_PIXELS_RGB,
    DEEPER_PIXELS_BGR,
    DEEPER_PIXELS_GREY,
    DEEPER_PIXELS_RGBA
} deeper_pixel_format;

/* A picture from pixels in memory, the same as from a PNG of them. stride: bytes from a row to the
 * next, negative where the rows lie upside down; 0: packed. pixels: of the top row. Options that
 * are about files must be 0. Errors: ARGUMENT, LIMIT, MEMORY. */
DEEPER_API deeper_status deeper_image_from_pixels(deeper_image **image, const uint8_t *pixels,
                                                  int width, int height, ptrdiff_t stride,
                                                  deeper_pixel_format format,
                                                  const deeper_image_options *options,
                                                  deeper_error *error);
DEEPER_API void deeper_image_close(deeper_image *image);

/* Width and height after orientation, and the pixels, RGB, with the bytes from a row to the next:
 * 3 x width, but for borrowed pixels. Lives with the image. */
DEEPER_API int deeper_image_width(const deeper_image *image);
DEEPER_API int deeper_image_height(const deeper_image *image);
DEEPER_API const uint8_t *deeper_image_pixels(const deeper_image *image);
DEEPER_API ptrdiff_t deeper_image_stride(const deeper_image *image);

/* Applies the model's preprocessing: `tensor` receives crops x C x H x W floats. crops:
 *   1    the centre of the picture as the model's rule resizes it (one of exactly the network's
 *        size is taken as it is);
 *   10   its corners and centre, then their mirror images;
 *   144  the paper's: short side resized to 256, 288, 320 and 352 (in proportion for networks of
 *        another size than 224); the left, centre and right square of each, top, centre and bottom
 *        of a picture that is higher than wide; the corners, the centre and the whole of each
 *        square, resized; then their mirror images. */
DEEPER_API deeper_status deeper_prepare(const deeper_model *model, const deeper_image *image,
                                        int crops, float *tensor, deeper_error *error);

/* Draws these crops as a PNG, the crops of one square a row: what the network will see, turned back
 * into levels. Errors: ARGUMENT, MISMATCH (a model that does not say how a picture becomes its
 * input), IO, MEMORY. */
DEEPER_API deeper_status deeper_crop_sheet(const deeper_model *model, const deeper_image *image,
                                           int crops, const char *path, deeper_error *error);

/* How the softmaxes of several crops become one. */
typedef enum deeper_combine {
    DEEPER_COMBINE_MEAN,     /* their mean, as in the paper */
    DEEPER_COMBINE_MAX,      /* the largest of each class, divided by the sum of these */
    DEEPER_COMBINE_GEOMETRIC /* their geometric mean, likewise */
} deeper_combine;

typedef struct deeper_prediction {
    size_t index;
    const char *id, *name; /* live with the model */
    float probability;
} deeper_prediction;

/* The `capacity` most probable classes of a picture, most probable first; the softmax is averaged
 * over crops (1, 10 or 144). *count receives how many were written (fewer only if the model has
 * fewer classes, or its answer is not a number). */
DEEPER_API deeper_status deeper_classify(deeper_session *session, const deeper_image *image,
                                         int crops, deeper_prediction *top, size_t capacity,
                                         size_t *count, deeper_error *error);

/* The indices of the k largest of `count` values, largest first, equal ones by index, and into tops
 * (may be NULL) these values. Returns how many there are: what is not a number is never among
 * them. Takes up to k x count comparisons. */
DEEPER_API size_t deeper_top(const float *values, size_t count, size_t k, size_t *indices,
                             float *tops);

/* -------------------------------------------------------------------------- streams of pictures */

/* What one picture of a stream gave. Valid during the callback only. */
typedef struct deeper_result {
    const char *path;
    int64_t label;        /* as the source gave it, -1: none */
    deeper_status status; /* not DEEPER_OK: the picture could not be read, `message` says why,
                             nothing else is set */
    const char *message;
    const float *probabilities; /* one a class */
    size_t classes;
    const float
        *crop_probabilities; /* crops x classes: of each crop, in the order of deeper_prepare */
    int crops;
} deeper_result;

/* The pictures of a stream: `next` puts a path (borrowed until the next call of `next`) and a label
 * (or -1) and returns 1, or 0 at the end. Called from a thread of the library, never from two at
 * once; it may block (a pipe). */
typedef struct deeper_source {
    int (*next)(void *context, const char **path, int64_t *label);
    void *context;
} deeper_source;

typedef struct deeper_stream_options {
    size_t size;
    int crops;   /* 1, 10 or 144 */
    int readers; /* threads that decode; 0: as many as the processors */
    deeper_combine combine;
    uint64_t max_pixels, max_memory; /* of each picture, and of those decoded at once, all together,
                                        as in deeper_image_options */
} deeper_stream_options;
static inline deeper_stream_options deeper_stream_options_init(void) {
    deeper_stream_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    options.crops = 1;
    return options;
}
#define DEEPER_STREAM_OPTIONS_INIT deeper_stream_options_init()

/* Classifies a stream: decodes ahead on threads of its own while the session computes, and calls
 * `sink` once a picture, in the order of the source, on the calling thread, as soon as each is
 * done. A picture that cannot be read is reported to the sink and the rest goes on. A stream keeps
 * nothing: DEEPER_SAVE from `sink` goes on. Holds at most a bounded number of decoded pictures,
 * each at full size, so that the answers are those of deeper_image_open without min_side. When the
 * sink stops while a call of `next` blocks, that call is given a fifth of a second and then left
 * behind: its context must live until it returns. */
DEEPER_API deeper_status deeper_classify_stream(
    deeper_session *session, const deeper_source *source, const deeper_stream_options *options,
    deeper_control (*sink)(void *context, const deeper_result *result), void *context,
    deeper_error *error);

/* ------------------------------------------------------------------------------------ data sets */

typedef struct deeper_dataset deeper_dataset;

/* A labelled set of pictures, found by content:
 *   - a folder of class folders;
 *   - a tar of them that is not compressed, read at random without unpacking;
 *     "set.tar:inner/folder" is a folder in it;
 *   - a text file of `PATH LABEL` lines (LABEL a number; paths relative to the file's folder, or to
 *     root if that is not NULL);
 *   - a CSV table of paths and labels (names or numbers), with a heading or without; a column
 * "part" or "split" says train, val or test, and "list.csv:val" is that part;
 *   - IDX pictures, gzipped or not, with their labels beside them (train-images-idx3-ubyte.gz and
 *     train-labels-idx1-ubyte.gz), or the folder of the IDX files.
 * A folder or tar with class folders in parts ("train" beside "val", "validation", "dev" or "test",
 * in any case, "Training", "test_set", "val2017") is several sets; this call opens the one to
 * measure on: "val", else "test". Parts beside what is none, and classes one level too deep, are
 * refused with the folder to name instead. Names that say that a file is no picture (Thumbs.db,
 * list.csv) are passed over. Lists names only; no picture is decoded. */
DEEPER_API deeper_status deeper_dataset_open(deeper_dataset **dataset, const char *path,
                                             const char *root, const deeper_allocator *allocator,
                                             deeper_error *error);

typedef enum deeper_part {
    DEEPER_PART_MEASURED, /* the one to measure on: that of a set without parts, "val", "test" */
    DEEPER_PART_TRAIN,
    DEEPER_PART_VAL,
    DEEPER_PART_TEST
} deeper_part;

/* Opens one part. Errors: FORMAT also where the set has no such part. */
DEEPER_API deeper_status deeper_dataset_open_part(deeper_dataset **dataset, const char *path,
                                                  const char *root, deeper_part part,
                                                  const deeper_allocator *allocator,
                                                  deeper_error *error);

/* Opens both: the pictures to train on, and those to validate with; *val is NULL where nothing says
 * which. */
DEEPER_API deeper_status deeper_dataset_open_pair(deeper_dataset **train, deeper_dataset **val,
                                                  const char *path, const char *root,
                                                  const deeper_allocator *allocator,
                                                  deeper_error *error);
DEEPER_API void deeper_dataset_close(deeper_dataset *dataset);

/* Where the set lies: the path that was given, with the part in it that was chosen. */
DEEPER_API const char *deeper_dataset_path(const deeper_dataset *dataset);

/* What was passed over when the set was opened (a link to a folder that it lies in, a part without
 * class folders), a line each; NULL after the last. */
DEEPER_API const char *deeper_dataset_note(const deeper_dataset *dataset, size_t index);

DEEPER_API size_t deeper_dataset_images(const deeper_dataset *dataset);
DEEPER_API size_t deeper_dataset_classes(const deeper_dataset *dataset);
DEEPER_API const char *deeper_dataset_class(const deeper_dataset *dataset, size_t index,
                                            size_t *images);
/* The picture's path; "set.tar:inner/path" in a tar, "images-file:number" in an IDX file. */
DEEPER_API const char *deeper_dataset_image(const deeper_dataset *dataset, size_t index,
                                            size_t *class_index);

/* 1: the classes are numbers, which stand for the outputs of a model as they are. */
DEEPER_API int deeper_dataset_numbered(const deeper_dataset *dataset);

/* 64 bits that stand for the names, sizes and classes of the pictures, wherever the set lies, in a
 * folder or in the tar of it. */
DEEPER_API uint64_t deeper_dataset_fingerprint(const deeper_dataset *dataset);

typedef struct deeper_dataset_soundness {
    uint64_t images;      /* looked at */
    uint64_t unreadable;  /* cannot be decoded */
    uint64_t tiny;        /* less than 16 pixels wide or high */
    uint64_t conflicting; /* the same pixels as an earlier picture of another class */
    uint64_t leaked;      /* to validate with, but the same pixels as one to train on */
    uint64_t repeated; /* the same pixels as an earlier picture of its class and part; no problem is
                          told */
    uint64_t empty_classes; /* folders without pictures */
} deeper_dataset_soundness;

typedef struct deeper_dataset_check_options {
    size_t size;
    int readers; /* threads; 0: as many as the processors */
    void (*progress)(void *context, uint64_t done, uint64_t total); /* may be NULL */
    void (*problem)(void *context, const char *name,
                    const char *message); /* of a picture or a set; may be NULL */
    void *context;
    uint64_t max_pixels, max_memory; /* of each picture, and of those decoded at once, all together,
                                        as in deeper_image_options */
} deeper_dataset_check_options;
static inline deeper_dataset_check_options deeper_dataset_check_options_init(void) {
    deeper_dataset_check_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_DATASET_CHECK_OPTIONS_INIT deeper_dataset_check_options_init()

/* Decodes every picture of a set and of the one to validate with (or NULL), and says what is wrong
 * with them. Callbacks are made on the calling thread; each problem is one line that begins with a
 * name. */
DEEPER_API deeper_status deeper_dataset_check(const deeper_dataset *train,
                                              const deeper_dataset *val,
                                              const deeper_dataset_check_options *options,
                                              deeper_dataset_soundness *result, size_t size,
                                              deeper_error *error);

typedef struct deeper_evaluation {
    uint64_t images;     /* counted */
    uint64_t unreadable; /* skipped, each reported through `problem` */
    uint64_t top1, top5; /* pictures whose class is the first, or among the first five */
    double loss;         /* mean of -ln p(class) */
    double seconds;
} deeper_evaluation;

typedef struct deeper_evaluate_options {
    size_t size;
    int crops; /* 1, 10 or 144 */
    void (*progress)(void *context, uint64_t done,
                     uint64_t total); /* after each picture; may be NULL */
    void (*problem)(void *context, const char *path,
                    const char *message); /* a picture that was skipped; may be NULL */
    void *context;
    deeper_combine combine;
    deeper_control (*control)(void *context); /* asked after each picture; may be NULL */
    int smaller; /* 1: the smaller sets of crops are scored too; what they share is computed once */
    int shard,
        shards;       /* of `shards` parts of the pictures only number `shard`, from 1; 0, 0: all */
    const char *save; /* keep the softmax of every crop (and of those of the smaller sets) in this
                         file; NULL: do not */
    int resume;       /* 1: go on with what was saved before */
    const char *const *names;        /* of the models, for the table; NULL: their architectures */
    uint64_t max_pixels, max_memory; /* of each picture, and of those decoded at once, all together,
                                        as in deeper_image_options */
} deeper_evaluate_options;
static inline deeper_evaluate_options deeper_evaluate_options_init(void) {
    deeper_evaluate_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    options.crops = 1;
    return options;
}
#define DEEPER_EVALUATE_OPTIONS_INIT deeper_evaluate_options_init()

/* Top-1, top-5 and loss of a model over a data set, over all the model's classes. Class folders are
 * matched with the model's labels by id or by name, never by position (DEEPER_ERROR_MISMATCH names
 * those without a match). */
DEEPER_API deeper_status deeper_evaluate(deeper_session *session, const deeper_dataset *dataset,
                                         const deeper_evaluate_options *options,
                                         deeper_evaluation *result, size_t size,
                                         deeper_error *error);

/* The table of an evaluation: a row for each model and, of several, for their average, by sets of
 * crops; the last row is the average (or the only model) with the most crops. */
typedef struct deeper_scores deeper_scores;

/* Measures `count` models (1..64, a session each) as one ensemble: the rule makes one softmax of
 * each model's crops, the models' are averaged. Their classes must be the same, by id, in any
 * order. A picture is decoded once for all. While `save` is not complete its name ends in ".part".
 * Errors: those of deeper_evaluate; MISMATCH also for models of different classes, and for saved
 * answers of other models, pictures or crops; ARGUMENT for a shard that is none. */
DEEPER_API deeper_status deeper_evaluate_models(deeper_scores **scores,
                                                deeper_session *const *sessions, size_t count,
                                                const deeper_dataset *dataset,
                                                const deeper_evaluate_options *options,
                                                deeper_error *error);

/* Scores saved answers, those of several files as one ensemble. crops: 0 all that were saved, and
 * the sets below it. Errors: MISMATCH (other pictures, parts or classes; fewer crops saved),
 * FORMAT, IO. */
DEEPER_API deeper_status deeper_scores_open(deeper_scores **scores, const char *const *files,
                                            size_t count, int crops, deeper_combine combine,
                                            const deeper_allocator *allocator, deeper_error *error);
DEEPER_API void deeper_scores_close(deeper_scores *scores);

/* Makes one file of the saved shards of an evaluation. Errors: MISMATCH, naming shards that
 * overlap, are missing (and what to compute) or are of different evaluations; FORMAT; IO. */
DEEPER_API deeper_status deeper_scores_merge(const char *path, const char *const *parts,
                                             size_t count, const deeper_allocator *allocator,
                                             deeper_error *error);

/* A row. Intervals are Wilson's, of 95 %. Differences are to the base: of the fewest crops, the
 * single model with the fewest errors, as in the paper. p is that of McNemar's exact test on the
 * same pictures: below 0.05 a difference is called real. */
typedef struct deeper_score {
    const char *model; /* lives with the scores; NULL: the average of all */
    int models, crops;
    int base;                    /* 1: this row is the base */
    uint64_t images, top1, top5; /* pictures; right at the first, among the first five */
    double top1_interval[2], top5_interval[2];
    double loss;                 /* mean of -ln p(class) */
    double calibration_error;    /* mean over 10 bins of confidence, weighted, of |share right -
                                    confidence| */
    double top1_gain, top5_gain; /* shares, less those of the base */
    double top1_p, top5_p;
} deeper_score;

DEEPER_API size_t deeper_scores_rows(const deeper_scores *scores);
DEEPER_API deeper_status deeper_scores_row(const deeper_scores *scores, size_t index,
                                           deeper_score *row, size_t size, deeper_error *error);

/* Pictures that could not be read, seconds that the evaluation took (0: saved answers), and the
 * path of its data set. */
DEEPER_API uint64_t deeper_scores_unreadable(const deeper_scores *scores);
DEEPER_API double deeper_scores_seconds(const deeper_scores *scores);
DEEPER_API const char *deeper_scores_data(const deeper_scores *scores);

/* Classes that the answers are over, and the part of the pictures that they are for: the number of
 * a shard, and how many there are into *shards (may be NULL); 1 of 1: all. */
DEEPER_API size_t deeper_scores_classes(const deeper_scores *scores);
DEEPER_API int deeper_scores_shard(const deeper_scores *scores, int *shards);

/* A page, complete in itself: the table, calibration, confusion, figures of every class and the
 * worst mistakes of the last row. dataset: for the pictures of the mistakes, which must be those of
 * the evaluation; NULL: without them. command: how to do it again, or NULL. Errors: MISMATCH, IO,
 * MEMORY. */
DEEPER_API deeper_status deeper_scores_report(const deeper_scores *scores,
                                              const deeper_dataset *dataset, const char *command,
                                              const char *path, deeper_error *error);

/* ------------------------------------------------------------------------------------- features */

typedef struct deeper_features_options {
    size_t size;
    int readers; /* threads that decode; 0: as many as the processors */
    void (*progress)(void *context, uint64_t done,
                     uint64_t total); /* after each picture; total 0: not known; may be NULL */
    void (*problem)(void *context, const char *path,
                    const char *message);     /* a picture that was skipped; may be NULL */
    deeper_control (*control)(void *context); /* asked after each picture; nothing is kept of a
                                                 stopped call; may be NULL */
    void *context;
    uint64_t max_pixels, max_memory; /* of each picture, and of those decoded at once, all together,
                                        as in deeper_image_options */
} deeper_features_options;
static inline deeper_features_options deeper_features_options_init(void) {
    deeper_features_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_FEATURES_OPTIONS_INIT deeper_features_options_init()

typedef struct deeper_features_result {
    uint64_t images, unreadable; /* rows written; pictures skipped */
    double seconds;
} deeper_features_result;

/* Writes the session's outputs for the centre crop of each picture to `path`, an npz (numpy.load):
 * "names", "features" (or, of several outputs, an array under each layer's name), "layers", and of
 * a data set "labels" and "classes". Exactly one of source and dataset is not NULL. Memory holds a
 * batch and the names; the values pass through nameless files beside `path`. Atomic. Errors: FORMAT
 * (no picture could be read), LIMIT (4 GB), STOPPED, IO, MISMATCH (the model does not say how a
 * picture becomes its input). */
DEEPER_API deeper_status deeper_features(deeper_session *session, const deeper_source *source,
                                         const deeper_dataset *dataset, const char *path,
                                         const deeper_features_options *options,
                                         deeper_features_result *result, size_t size,
                                         deeper_error *error);

/* --------------------------------------------------------------------------------- verification */

/* How far one layer's output differs from what it is held against: the input where |value -
 * reference| is largest relative to the largest value of the tensor. Valid during the callback. */
typedef struct deeper_difference {
    const char *name;            /* the layer; NULL: nothing could be compared with `other` */
    const char *other;           /* its name in the other model or the recording */
    int channels, height, width; /* of the layer's output */
    double relative, absolute;   /* infinite where only one of the two values is a number */
    int image;                   /* from 0 */
    int channel, row, column;    /* where in it */
    float value, reference;      /* the values there */
} deeper_difference;

typedef struct deeper_verify_options {
    size_t size;
    const char *names; /* "RECORDED=LAYER,...": layers that bear other names in a recording */
    const char *const *pictures; /* of two models: inputs, as the first model prepares them; NULL:
                                    one fixed input */
    size_t picture_count;
    int threads;                                                    /* as in a session */
    void (*progress)(void *context, uint64_t done, uint64_t total); /* inputs; may be NULL */
    void *context;
    const char *tuning; /* as in a session */
} deeper_verify_options;
static inline deeper_verify_options deeper_verify_options_init(void) {
    deeper_verify_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_VERIFY_OPTIONS_INIT deeper_verify_options_init()

/* Compares what the model computes with `against`:
 *   - a recording: an npz of arrays, or a folder of raw NAME_SHAPE.f32 files, one of them the input
 *     (named as the input layer, "input" or ..._input), the others outputs of layers, matched by
 *     name, then as docs/FORMATS.md says;
 *   - or another model file, which is run on the same inputs; layers are matched by name, then by
 *     structure.
 * `difference` is called once a layer, in the order of computation, so that the first beyond a
 * tolerance is where the two part; then for what could not be compared. *inputs (may be NULL)
 * receives how many inputs were compared. Errors: MISMATCH (no recorded input, other shapes, no
 * layer in common), those of deeper_model_open and of pictures. */
DEEPER_API deeper_status deeper_verify(const deeper_model *model, const char *against,
                                       const deeper_verify_options *options,
                                       void (*difference)(void *context,
                                                          const deeper_difference *difference),
                                       void *context, int *inputs, deeper_error *error);

/* ------------------------------------------------------------------------------------- training */

/* Everything that a training run is. DEEPER_TRAIN_OPTIONS_INIT sets the defaults in brackets; NULL
 * texts and zeros are defaults too where none is named; deeper_train_option has the ranges. A run
 * lives in a folder `out`:
 *     model.safetensors           the best network so far on the validation pictures (averaged
 *                                 weights where averaging is on)
 *     last.safetensors            the same of the last epoch
 *     split.csv                   path, label and part (train, val) of every picture: a data set
 *     predictions.csv             what the saved model says of the validation pictures
 *     log.csv                     a line an epoch: losses of every head, accuracy, rate, images/s
 *     report.html                 curves, confusion matrix, worst mistakes; complete in itself
 *     events.out.tfevents.deeper  the same curves for TensorBoard
 *     checkpoints/                complete states from which `resume` goes on to the same bits, the
 *                                 newest `keep`
 *     run.json                    the options, the data's fingerprint, the version */
typedef struct deeper_train_options {
    size_t size;
    const char *data; /* folder of class folders, tar of them, list of `PATH LABEL` lines, or IDX
                         images (labels found beside) */
    const char *data_root; /* of a list's paths; NULL: the list's folder */
    const char *val; /* the same for validation; NULL: val_fraction of data, chosen by seed, a class
                        at a time */
    double val_fraction; /* [0.1] */
    const char *out;     /* the run's folder; must be new or empty unless resume */
    int resume; /* 1: go on from the newest sound checkpoint in out, with the options it was started
                   with */
    const char *architecture; /* from scratch: "googlenet:norm=bn" ...; with its auxiliary heads
                                 unless it says "aux=0" */
    const char
        *init; /* fine-tune this model file; its last layer is replaced where the classes differ */
    int image_size; /* [0: 224, or that of init] */
    uint64_t seed;  /* [1] */
    int epochs; /* [0: 30 from scratch, 10 fine-tuning]; with resume: so many in all for a run that
                   has ended */
    double minutes; /* 0: no limit; else as many steps as fit into this time, all in all, planned
                       again and again by the speed measured */
    int batch;      /* images a step [32] */
    int accumulate; /* batches whose gradients are added up before an update [1] */
    double rate;    /* learning rate [0: 0.01 from scratch, 0.002 fine-tuning, at batch 32, in
                       proportion to the batch] */
    const char *schedule; /* "cosine" [NULL], "poly", "step" (the paper's x0.96 every 8 epochs),
                             "constant" */
    double warmup_epochs; /* the rate grows from 0 over these [1] */
    double momentum;      /* [0.9] */
    double decay;         /* of weights, not of biases [2e-4] */
    double clip;          /* gradients of a larger norm are scaled down to it; 0: not [5] */
    double smoothing;     /* of labels [0] */
    double aux_weight;    /* of the auxiliary heads' losses [0.3] */
    const char *average;  /* "ema" [NULL], "polyak" (the paper's), "none" */
    const char *augment;  /* "paper" [NULL], "none", or a list out of area or
                             crop,mirror,photometric,lighting,interpolation */
    const char *
        freeze; /* list of layer-name beginnings whose parameters stay: "conv1,conv2,inception_3" */
    const char *rates; /* list of BEGINNING=FACTOR on the rate: "loss3=10" [NULL: the new layer x10
                          when fine-tuning] */
    const char *class_weights; /* "none" [NULL], "auto": in inverse proportion to the pictures of a
                                  class, mean 1 */
    int patience; /* stop after this many epochs without a better validation [0: 3 when fine-tuning
                     by epochs, else never] */
    int keep;     /* checkpoints [2] */
    double checkpoint_minutes; /* between checkpoints inside an epoch; there is one after every
                                  epoch [5] */
    int threads;               /* as in a session [0] */
    int readers;               /* threads that decode [0: as many as threads] */
    double max_unreadable;     /* stop if more than this share of an epoch's pictures cannot be read
                                  [0.1] */
    const char *initial;       /* first weights from scratch: "he" [NULL], "xavier", "bvlc" (xavier,
                                  biases 0.2), "gaussian" */
    int ensemble; /* train this many members, one after the other, in out/member1, out/member2 ...
                     [0: a single run]; minutes are for all of them together */
    int member; /* number of a member: it shares the first weights and the validation pictures with
                   those of the same seed, and draws order, augmentation and dropout of its own [0:
                   as member 1] */
    const char *steps; /* length of the run in updates, in place of epochs: "900", or the decisions
                          of a run by minutes as its run.json has them, "900,40:1010": 900, from
                          step 40 on 1010 [NULL: epochs] */
    int probe; /* 1: a linear probe alone: of a model to fine-tune only the last layer, which is
                  fitted to convergence */
    int probe_images; /* training pictures that a probe sees, at most; fine-tuning with a new last
                         layer begins with a probe and never ends below it; 0: without [10000] */
    uint64_t max_pixels; /* larger pictures are unreadable [0: as in deeper_image_options] */
    uint64_t max_memory; /* MB that pictures decoded at once take, all together, at most; one that
                            takes more alone is unreadable [0: as there] */
} deeper_train_options;

typedef enum deeper_option_kind {
    DEEPER_OPTION_INT,    /* int */
    DEEPER_OPTION_COUNT,  /* uint64_t */
    DEEPER_OPTION_NUMBER, /* double */
    DEEPER_OPTION_FLAG,   /* int, 0 or 1 */
    DEEPER_OPTION_TEXT,   /* const char *, as all that follow */
    DEEPER_OPTION_PATH,
    DEEPER_OPTION_LIST,  /* texts with commas between them */
    DEEPER_OPTION_CHOICE /* one of `value` */
} deeper_option_kind;

/* A member of deeper_train_options as the library knows it: programs, bindings and forms build on
 * these. Made by the library alone; later versions add members at its end. */
typedef struct deeper_option {
    const char *name; /* the member's: "val_fraction" */
    const char
        *word; /* for command lines, after the dashes: "val-fraction"; "root" for data_root */
    deeper_option_kind kind;
    const char *value;    /* what to call a value ("N", "SRC"); of a CHOICE all values: "ema|polyak|
                             none"; NULL: a FLAG */
    const char *fallback; /* the default, as deeper_train_set takes it; NULL: 0, or what a run
                             chooses, as `help` says */
    double min, max;      /* of INT, COUNT and NUMBER, both included; 0 is the default, too, where
                             fallback is NULL */
    const char *since;    /* the first version that has it: "0.1" */
    int recorded; /* 1: kept in run.json; a resumed run has it as it began. 0: given anew each time
                   */
    int decides;  /* 1: bits of the result depend on it */
    const char *help; /* one line, without the fallback */
} deeper_option;

/* The training options, in an order to show them; NULL past the last. Static. */
DEEPER_API const deeper_option *deeper_train_option(size_t index);

/* Sets `size` bytes of options to the defaults, as DEEPER_TRAIN_OPTIONS_INIT does. */
DEEPER_API void deeper_train_defaults(deeper_train_options *options, size_t size);

static inline deeper_train_options deeper_train_options_init(void) {
    deeper_train_options options;
    deeper_train_defaults(&options, sizeof options);
    return options;
}
#define DEEPER_TRAIN_OPTIONS_INIT deeper_train_options_init()

/* Sets an option by its name or word, to what `text` says; NULL: to its default. A text, path, list
 * or choice is borrowed, not copied: it must live as long as the options are used. Numbers have a
 * decimal point in every locale. Errors: ARGUMENT (a name that no option has, with the nearest one;
 * a value that it does not take, with the range), and then nothing is changed. */
DEEPER_API deeper_status deeper_train_set(deeper_train_options *options, const char *name,
                                          const char *text, deeper_error *error);

typedef enum deeper_train_event_kind {
    DEEPER_TRAIN_STEP,       /* after an update */
    DEEPER_TRAIN_EPOCH,      /* after an epoch and its validation */
    DEEPER_TRAIN_WARNING,    /* the health watch: `message` says what is wrong and what to do */
    DEEPER_TRAIN_UNREADABLE, /* a picture was skipped: `message` names it */
    DEEPER_TRAIN_NOTE        /* what was found, decided or saved, a line */
} deeper_train_event_kind;

#define DEEPER_TRAIN_HEADS 3

/* Valid during the callback. Losses are means over the images since the last event of the kind
 * (STEP: of the step). */
typedef struct deeper_train_event {
    deeper_train_event_kind kind;
    const char *message; /* WARNING, UNREADABLE, NOTE */
    int epoch, epochs;   /* from 1; epochs expected, STEP: 0 until it is known how many fit into the
                            minutes */
    uint64_t step, epoch_steps; /* within the epoch, from 1 */
    double rate, images_per_second, seconds_left_epoch, seconds_left;
    int heads;                                  /* main first, then the auxiliary ones */
    const char *head_names[DEEPER_TRAIN_HEADS]; /* "main", "aux1", "aux2" */
    double losses[DEEPER_TRAIN_HEADS];
    double loss; /* their weighted sum */
    double top1; /* share of training images whose class came first */
    double gradient_norm;
    uint64_t unreadable; /* so far */
    /* EPOCH */
    double val_losses[DEEPER_TRAIN_HEADS], val_top1, val_top5;
    int best; /* 1: the best validation so far */
} deeper_train_event;

typedef struct deeper_train_calls {
    void (*event)(void *context, const deeper_train_event *event); /* may be NULL */
    deeper_control (*control)(void *context); /* asked after every step; what is saved is a
                                                 checkpoint; may be NULL */
    void *context;
} deeper_train_calls;

typedef struct deeper_train_result {
    int epochs, best_epoch;
    uint64_t steps, images, unreadable;
    double best_top1, best_top5, best_loss; /* on the validation pictures */
    double seconds;
    uint64_t validation_images;
    uint64_t probe_images; /* that the linear probe of the run saw; 0: it had none */
    double probe_top1;     /* of the probe, on the validation pictures; with a best_epoch of 0 it is
                              the saved model */
} deeper_train_result;

/* Trains. calls and result may be NULL. Same options, data and instruction set: the same bits, for
 * any number of threads and however often the run was interrupted and resumed. Of an ensemble the
 * result has the sums over its members, and best_... of the best one. Errors: ARGUMENT (options),
 * FORMAT and MISMATCH (data; FORMAT too: weights of init that are no finite numbers), IO (the last
 * good checkpoint stays), NUMBER (the run diverged), STOPPED (*result says how far the run
 * came). */
DEEPER_API deeper_status deeper_train(const deeper_train_options *options,
                                      const deeper_train_calls *calls, deeper_train_result *result,
                                      size_t size, deeper_error *error);

/* What the network would see, as a PNG: `count` pictures (1..64; as many as there are), spread over
 * the training set, a row each: in the centre crop of evaluation, then as in the first seven
 * epochs. Uses data, init or architecture, image_size, seed and augment of the options, which must
 * be those of a run; out is not touched. Errors: those of deeper_train, and of a picture that
 * cannot be read. */
DEEPER_API deeper_status deeper_train_preview(const deeper_train_options *options, const char *path,
                                              int count, deeper_error *error);

/* The learning-rate range test (Smith, "Cyclical Learning Rates for Training Neural Networks",
 * 2017): a run of DEEPER_RATE_POINTS steps whose rate grows geometrically from 1e-5 to 10, ended
 * early when the loss explodes. */
#define DEEPER_RATE_POINTS 100

typedef struct deeper_rate_point {
    double rate;
    double loss;     /* of the step: the heads' weighted sum */
    double smoothed; /* mean over the neighbouring steps, weighted by a normal distribution of 3
                        steps deviation */
} deeper_rate_point;

typedef struct deeper_rate_search {
    double rate; /* suggested: the lesser of the next two, to two digits; 0: the loss did not fall
                    more than by chance */
    double steepest; /* the middle of the decade over which the smoothed loss fell most */
    double tenth;    /* a tenth of where half of what it had fallen was lost again, or the loss
                        exploded; 0: neither was */
    size_t count;
    deeper_rate_point points[DEEPER_RATE_POINTS];
} deeper_rate_search;

/* Looks for the rate of a run with these options, whose own rate, schedule, epochs and out are not
 * used; nothing is written. page: a file for the curve as an HTML page, or NULL. Events are STEP
 * (step of epoch_steps is the point), UNREADABLE and NOTE; there is nothing to save. Errors: those
 * of deeper_train. */
DEEPER_API deeper_status deeper_train_find_rate(const deeper_train_options *options,
                                                const char *page, const deeper_train_calls *calls,
                                                deeper_rate_search *result, size_t size,
                                                deeper_error *error);

/* The command line of a run with these options, ended by a zero byte and cut to `size` bytes; the
 * bytes that all of it takes, that one included (0: out of memory). text may be NULL: only the
 * number. */
DEEPER_API size_t deeper_train_command(const deeper_train_options *options, char *text,
                                       size_t size);

/* ----------------------------------------------------------------------------------- benchmarks */

typedef struct deeper_benchmark {
    int runs;
    double median_ms, min_ms, p90_ms; /* of one run of `batch` images */
    double
        peak_gflops; /* fp32 FMA peak of the same threads, measured before and after, the larger */
    double direct_floor_ms; /* 2 x multiply-adds x batch / peak */
    double ratio_to_floor;  /* median_ms / direct_floor_ms */
    double images_per_second;
    double logit_checksum;  /* sum of the logits of image 0 (input: a fixed formula), for comparing
                               machines and ISAs */
    uint64_t multiply_adds; /* an image */
    char network[512]; /* what was timed, "googlenet:norm=lrn,...": training adds auxiliary heads to
                          the model that it is given; an imported network's name alone */
} deeper_benchmark;

/* Times the network on a fixed input, images of options->max_batch at a time: makes a session of
 * its own that ends at the logits and the softmax, warms up, then runs for about `seconds` (at
 * least 10 runs). `outputs` of the options is ignored; options may be NULL. */
DEEPER_API deeper_status deeper_bench(const deeper_model *model,
                                      const deeper_session_options *options, double seconds,
                                      deeper_benchmark *result, size_t size, deeper_error *error);

/* The same for one training step of options->max_batch images: forward with auxiliary heads,
 * backward, packing, update with momentum and averaging. The floor is 3 x the forward multiply-adds
 * less those of the first convolution's input gradient. */
DEEPER_API deeper_status deeper_bench_training(const deeper_model *model,
                                               const deeper_session_options *options,
                                               double seconds, deeper_benchmark *result,
                                               size_t size, deeper_error *error);

/* One step of a run: a layer, or several that are computed as one product, or what only moves
 * values; and one for all that a training step does beside its plan. Valid during the callback,
 * texts too. Times are those of the fastest run. Steps of one phase run as one loop; a step's part
 * of the loop's wall time is its part of the work, so all steps add up to the runs. */
typedef struct deeper_bench_step {
    const char *layer; /* the first that it computes, "inception_3a/3x3"; "d NAME" is the gradient
                          of NAME; may be "" */
    const char *operation;  /* "conv", "input grad", "weight grad", "pack", ... */
    const char *algorithm;  /* a line on how; may be "" */
    int phase;              /* from 1; 0: beside the plan */
    double ms;              /* of one run of the batch */
    double waiting_ms;      /* of those: in which threads stood idle at the end of the phase */
    double share;           /* of all steps, 0..1 */
    double gflops;          /* 2 x multiply-adds x batch / ms, in 1e9 a second */
    double ratio_to_floor;  /* ms / (2 x multiply-adds x batch / peak); 0 without multiply-adds */
    uint64_t multiply_adds; /* an image, by direct convolution; 0 for what is no convolution or
                               linear layer */
} deeper_bench_step;

/* deeper_bench, or with `training` deeper_bench_training, that also tells of every step, in the
 * order of the run. Taking the times costs two looks at the clock a task, which the result's times
 * have in them too. */
DEEPER_API deeper_status
deeper_bench_steps(const deeper_model *model, const deeper_session_options *options, int training,
                   double seconds, void (*step)(void *context, const deeper_bench_step *step),
                   void *context, deeper_benchmark *result, size_t size, deeper_error *error);

/* --------------------------------------------------------------------------------------- tuning */

typedef struct deeper_tune_options {
    size_t size;
    int batch;   /* images of the runs that are timed; 0: 1 */
    int threads; /* as in a session; one thread is measured besides */
    void (*progress)(void *context, uint64_t done, uint64_t total); /* measurements; may be NULL */
    void *context;
    deeper_control (*control)(void *context); /* asked after each measurement; a part of them is
                                                 not kept: SAVE is GO_ON; may be NULL */
} deeper_tune_options;
static inline deeper_tune_options deeper_tune_options_init(void) {
    deeper_tune_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_TUNE_OPTIONS_INIT deeper_tune_options_init()

/* One kind of convolution: C channels to K outputs of H x W with a window (for the first layer over
 * a picture with stride 2 that of its four phases: 4 C channels, half the window). Valid during the
 * callback, texts too. */
typedef struct deeper_tuned_layer {
    const char *layer; /* the first of its kind, "inception_3a/3x3" */
    int layers;        /* of this kind */
    int channels, outputs, height, width, window;
    const char
        *model; /* how the library computes it of itself: "direct", "winograd, 6 points, ..." */
    const char *tuned;         /* how the file says */
    int changed;               /* 1: they differ */
    double model_ms, tuned_ms; /* of all layers of the kind in one run */
} deeper_tuned_layer;

typedef struct deeper_tuning_result {
    int kinds, changed;        /* of convolutions that have a choice; those whose choice is not the
                                  library's own */
    int slower;                /* 1: the changes made whole runs no faster, so that none was kept */
    int threads;               /* that were used */
    double model_ms, tuned_ms; /* of a whole run, medians of runs in turns */
    double model_one_ms, tuned_one_ms; /* the same with one thread */
    const char *isa;                   /* static */
} deeper_tuning_result;

/* Measures how each kind of convolution in the network is computed fastest on this machine, within
 * whole runs of the network (the model needs parameter values), and writes a file for
 * deeper_session_options.tuning, atomically; what the file has of other networks and instruction
 * sets of this machine stays, also when several processes tune at once. A choice other than the
 * library's own is kept where it is clearly faster, by 3 % at least in the geometric mean of one
 * thread and all threads. Takes about a minute for GoogLeNet. `layer` (may be NULL) is called once
 * a kind at the end. The same file means the same results whatever the batch or the number of
 * threads. Errors: those of deeper_session_create; IO; STOPPED, when control asked for it: nothing
 * is written. */
DEEPER_API deeper_status deeper_tune(const deeper_model *model, const char *path,
                                     const deeper_tune_options *options,
                                     void (*layer)(void *context, const deeper_tuned_layer *layer),
                                     void *context, deeper_tuning_result *result, size_t size,
                                     deeper_error *error);

/* Whether a session can use a tuning file. Errors: MISMATCH (a sound file of another machine or
 * version: to be ignored, or measured anew), FORMAT and LIMIT (no tuning), IO. */
DEEPER_API deeper_status deeper_tuning_check(const char *path, deeper_error *error);

/* The choices of a tuning file for one instruction set. */
typedef struct deeper_tuning_set {
    const char *isa; /* static */
    int choices;     /* kinds of convolutions */
    int direct;      /* of them: computed directly, the others by Winograd's algorithm */
} deeper_tuning_set;

typedef struct deeper_tuning_contents {
    char machine[192]; /* it was measured on, a text of any bytes; cut where it is longer */
    int here;          /* 1: that is this machine: sessions can use the file */
    int set_count;
    deeper_tuning_set sets[8];
} deeper_tuning_contents;

/* What a tuning file of any machine has. Errors: MISMATCH (of another version), FORMAT and LIMIT
 * (no tuning), IO. */
DEEPER_API deeper_status deeper_tuning_examine(const char *path, deeper_tuning_contents *contents,
                                               size_t size, deeper_error *error);

/* --------------------------------------------------------------------------- comparing networks */

/* Networks side by side: what each costs, how fast it is here and, given pictures, how well it
 * learns in one and the same budget. A member is a text, ARCHITECTURE[:OPTIONS][@SIZE][/CROPS]:
 * "googlenet:module=naive@64", "nin:form=cifar/10". */
typedef struct deeper_compare_options {
    size_t size;
    const char *const *members;
    size_t member_count;
    const char *preset; /* in place of members: an ablation of the paper by its name
                           (deeper_compare_preset) */
    const char *base;   /* the network that the preset varies [NULL: "googlenet"] */
    int image_size;     /* of members that do not say theirs [0: 224] */
    int classes;        /* where nothing is trained [0: 1000] */
    double seconds;     /* of each timing; 0: nothing is timed [1] */
    int batch;   /* images of a training step that is timed [8]; inference is timed one image at a
                    time */
    int threads; /* as in a session [0] */
    /* How every member is trained, or NULL: not at all. architecture, init, image_size, out, resume
     * and threads are the members' and are ignored here. */
    const deeper_train_options *train;
    const char *out; /* a folder for compare.csv, compare.html and runs/, a run a member; train
                        needs it; NULL: nothing is written */
    int resume; /* 1: go on in `out`: runs that are there are finished or taken as they are, with
                   the options they began with */
} deeper_compare_options;
static inline deeper_compare_options deeper_compare_options_init(void) {
    deeper_compare_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    options.seconds = 1;
    options.batch = 8;
    return options;
}
#define DEEPER_COMPARE_OPTIONS_INIT deeper_compare_options_init()

/* What was found of one member. Numbers that were not measured are NAN or 0. Texts are valid during
 * the callback. */
typedef struct deeper_compared {
    const char *member;       /* as it was asked for */
    const char *architecture; /* "googlenet" */
    const char *options;      /* all of them, with their values */
    int image_size, crops;
    deeper_status status; /* DEEPER_OK, or what ended the work on this member; `message` says why */
    const char *message;
    uint64_t parameters, multiply_adds; /* of inference, an image */
    uint64_t activation_bytes;          /* that a session of one image holds, workspace included */
    double forward_ms, forward_images_per_second; /* one image at a time */
    double training_images_per_second;            /* batches of `batch` images */
    double joules; /* of an image, inference; NAN where the machine does not tell */
    int epochs;
    uint64_t images_seen; /* in training */
    double train_seconds;
    uint64_t images, top1, top5; /* validation pictures, and those right */
    double top1_low, top1_high;  /* Wilson's interval of 95 % for the share that is right */
} deeper_compared;

typedef struct deeper_compare_calls {
    void (*begin)(void *context, const char *member, size_t index, size_t count); /* may be NULL */
    void (*done)(void *context, const deeper_compared *compared, size_t index,
                 size_t count);                       /* may be NULL */
    void (*note)(void *context, const char *message); /* said once; may be NULL */
    void (*event)(
        void *context,
        const deeper_train_event *event);     /* of the run of the member under way; may be NULL */
    deeper_control (*control)(void *context); /* as in deeper_train_calls */
    void *context;
} deeper_compare_calls;

/* Compares, one member after the other. A member that fails has its status and the rest goes on;
 * *failed (may be NULL) receives how many did. Errors: those of a member's text, architecture or
 * size, before anything is begun; ARGUMENT; IO; STOPPED, when control asked for it: the runs go on
 * with `resume`. */
DEEPER_API deeper_status deeper_compare(const deeper_compare_options *options,
                                        const deeper_compare_calls *calls, size_t *failed,
                                        deeper_error *error);

/* The presets: name, and one line on what each compares; NULL past the last. */
DEEPER_API const char *deeper_compare_preset(size_t index, const char **description);

/* ------------------------------------------------------------------------ detections and scores */

/* A box in pixels of the photo as it is shown: its left upper corner, from 0, and its size, all
 * with fractions if need be. Pixels a to b, both included, are width b - a + 1 from x = a. */
typedef struct deeper_box {
    double x, y, width, height;
} deeper_box;

/* A box that is there. */
typedef struct deeper_truth {
    deeper_box box;
    double area; /* of the object, where the annotation has it, else of the box: which of COCO's
                    ranges it is in */
    size_t image, class_index; /* from 0 */
    int difficult;             /* 1: neither to be found nor wrong when it is found */
    int crowd;                 /* 1: likewise, and many detections may lie in it (COCO's iscrowd) */
} deeper_truth;

/* A box that a detector says is there. */
typedef struct deeper_detection {
    deeper_box box;
    double score;
    size_t image, class_index;
} deeper_detection;

/* A set of photos with boxes, its annotations in any of the usual forms. */
typedef struct deeper_boxes deeper_boxes;

typedef struct deeper_boxes_options {
    size_t size;
    const deeper_allocator *allocator;
    const char *part; /* "train", "val" ..., or "all"; NULL: the one to validate with, where the set
                         says which that is, else all */
    const char
        *photos;     /* the folder that names of photos are relative to; NULL: as the form has it */
    double fraction; /* of the photos, held out by `seed`; 0: none */
    int held_out;    /* 1: these are opened; 0: the others */
    uint64_t seed;
    void (*problem)(void *context, const char *message); /* each thing wrong, a line; may be NULL */
    void *context;
} deeper_boxes_options;
static inline deeper_boxes_options deeper_boxes_options_init(void) {
    deeper_boxes_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_BOXES_OPTIONS_INIT deeper_boxes_options_init()

/* Opens a set, its form found by content (deeper_boxes_form lists them). What is wrong with single
 * boxes, lines and files is told and counted, and the rest goes on. Errors: IO, FORMAT (of no form;
 * damaged as a whole; no photos), ARGUMENT (no such part), UNSUPPORTED (a form that this build
 * lacks a library for), LIMIT, MEMORY. */
DEEPER_API deeper_status deeper_boxes_open(deeper_boxes **boxes, const char *path,
                                           const deeper_boxes_options *options,
                                           deeper_error *error);
DEEPER_API void deeper_boxes_close(deeper_boxes *boxes);

/* The forms: name ("voc", "coco", "yolo", "csv", "window") and a line on it; NULL past the last.
 * And whether a file or folder is of one of them. */
DEEPER_API const char *deeper_boxes_form(size_t index, const char **description);
DEEPER_API int deeper_boxes_at(const char *path);

/* What a set is: "form", "path", "part" (that was opened; NULL: all). Lives with the set. And the
 * parts that it says it has. */
DEEPER_API const char *deeper_boxes_text(const deeper_boxes *boxes, const char *key);
DEEPER_API const char *deeper_boxes_part(const deeper_boxes *boxes, size_t index);

/* Classes and photos: a name, which lives with the set; NULL past the last. */
DEEPER_API size_t deeper_boxes_classes(const deeper_boxes *boxes);
DEEPER_API const char *deeper_boxes_class(const deeper_boxes *boxes, size_t index);
DEEPER_API size_t deeper_boxes_photos(const deeper_boxes *boxes);
typedef struct deeper_boxed_photo {
    const char *path;
    int width, height;   /* 0: the annotations do not say */
    size_t first, count; /* its boxes in the array of deeper_boxes_truth */
} deeper_boxed_photo;
DEEPER_API deeper_status deeper_boxes_photo(const deeper_boxes *boxes, size_t index,
                                            deeper_boxed_photo *photo, size_t size,
                                            deeper_error *error);

/* All boxes, photo by photo; live with the set. */
DEEPER_API const deeper_truth *deeper_boxes_truth(const deeper_boxes *boxes, size_t *count);

/* What was wrong, kind by kind. Texts are static. */
typedef struct deeper_box_fault {
    const char *name; /* "outside", "unknown_class", ... */
    const char *description;
    size_t count;
    int sound; /* 1: worth telling, but no fault */
} deeper_box_fault;

/* The kinds; ARGUMENT past the last. */
DEEPER_API deeper_status deeper_boxes_fault(const deeper_boxes *boxes, size_t index,
                                            deeper_box_fault *fault, size_t size,
                                            deeper_error *error);

/* Decodes every photo: tells, by `problem` of the set's options, and counts those that are not
 * there, cannot be decoded or are of another size. progress may be NULL. Not thread-safe against
 * other uses of the set. */
DEEPER_API deeper_status deeper_boxes_check_photos(deeper_boxes *boxes,
                                                   void (*progress)(void *context, uint64_t done,
                                                                    uint64_t total),
                                                   void *context, deeper_error *error);

/* What another program found in the photos of a set. */
typedef struct deeper_detections deeper_detections;

/* Reads detections, their form found by content:
 *   - COCO's results, a JSON array of image_id, category_id, bbox and score;
 *   - Pascal VOC's, a folder of files ..._CLASS.txt with `STEM SCORE XMIN YMIN XMAX YMAX` lines;
 *   - YOLO's, a folder of files STEM.txt with `CLASS X Y WIDTH HEIGHT SCORE` lines; the photos'
 *     sizes must be known (deeper_boxes_check_photos);
 *   - a table with the columns of the sets' and `score`.
 * What is wrong with single lines is told and counted. Errors: IO, FORMAT, MEMORY. */
DEEPER_API deeper_status deeper_detections_open(deeper_detections **detections,
                                                const deeper_boxes *boxes, const char *path,
                                                void (*problem)(void *context, const char *message),
                                                void *context, const deeper_allocator *allocator,
                                                deeper_error *error);
DEEPER_API void deeper_detections_close(deeper_detections *detections);

/* All of them, in the order of the file; and what was wrong, as deeper_boxes_fault. */
DEEPER_API const deeper_detection *deeper_detections_array(const deeper_detections *detections,
                                                           size_t *count);
DEEPER_API deeper_status deeper_detections_fault(const deeper_detections *detections, size_t index,
                                                 deeper_box_fault *fault, size_t size,
                                                 deeper_error *error);

/* How good detections are by every published protocol, the figures side by side. */
typedef struct deeper_box_scores deeper_box_scores;

typedef struct deeper_box_scores_options {
    size_t size;
    const deeper_allocator *allocator;
    size_t images, classes; /* of the set; 0: one more than the largest index */
    int resamples; /* of the photos, for intervals of 95 %; up to 10,000; 0: no intervals */
    uint64_t seed; /* of these */
} deeper_box_scores_options;
static inline deeper_box_scores_options deeper_box_scores_options_init(void) {
    deeper_box_scores_options options = DEEPER_ZEROED;
    options.size = sizeof options;
    return options;
}
#define DEEPER_BOX_SCORES_OPTIONS_INIT deeper_box_scores_options_init()

/* Matches detections with boxes and counts. Equal scores rank by photo, then by their order here.
 * The arrays are not needed afterwards. Errors: ARGUMENT (an index that is none, a box or a score
 * that is no finite number, a size below 0), MEMORY. */
DEEPER_API deeper_status deeper_box_scores_create(deeper_box_scores **scores,
                                                  const deeper_truth *truth, size_t truth_count,
                                                  const deeper_detection *detections,
                                                  size_t detection_count,
                                                  const deeper_box_scores_options *options,
                                                  deeper_error *error);
DEEPER_API void deeper_box_scores_close(deeper_box_scores *scores);

/* A figure: the mean over the classes that have boxes. Texts are static. */
typedef struct deeper_box_score {
    const char *protocol; /* "coco", "voc07", "voc10", "ilsvrc" */
    const char *name;     /* "AP", "AP50", "AR100", ... */
    const char *rule;     /* one line */
    double value;         /* 0..1; NAN: no box counts */
    double interval[2];   /* bounds of 95 % over photos drawn anew; NAN without resamples */
} deeper_box_score;

/* The figures: COCO's twelve in the order of its own program, then VOC 2007, VOC 2010, ILSVRC. */
DEEPER_API size_t deeper_box_scores_figures(const deeper_box_scores *scores);
DEEPER_API deeper_status deeper_box_scores_figure(const deeper_box_scores *scores, size_t index,
                                                  deeper_box_score *figure, size_t size,
                                                  deeper_error *error);

/* One class: a figure by its index (NAN: no box counts), its boxes that count, and its detections
 * into *detections (may be NULL). */
DEEPER_API size_t deeper_box_scores_classes(const deeper_box_scores *scores);
DEEPER_API double deeper_box_scores_of_class(const deeper_box_scores *scores, size_t figure,
                                             size_t class_index);
DEEPER_API size_t deeper_box_scores_boxes(const deeper_box_scores *scores, size_t class_index,
                                          size_t *detections);

/* A kind of mistake, by COCO's rule at an overlap of .5 (TIDE: Bolya and others, 2020). */
typedef struct deeper_box_mistake {
    const char *name; /* "class", "localisation", "both", "duplicate", "background", "missed" */
    const char *description; /* one line; both are static */
    size_t count;
    double gain; /* by how much AP50 would rise if none of the kind were made */
} deeper_box_mistake;

/* The kinds; ARGUMENT past the last. */
DEEPER_API deeper_status deeper_box_scores_mistake(const deeper_box_scores *scores, size_t index,
                                                   deeper_box_mistake *mistake, size_t size,
                                                   deeper_error *error);

#ifdef __cplusplus
}
#endif
#endif
