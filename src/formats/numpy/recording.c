/* recording.c - see recording.h. */
#include "formats/numpy/recording.h"

#include "base/text.h"

#include <string.h>

enum { MAX_SIDE = 1 << 24 };

static const char raw_ending[] = ".f32";

/* ------------------------------------------------------------------------------ a folder's file */

/* "1x64x56x56" at text[size] into a shape; false: it is none. */
static bool read_shape(dp_tensor *tensor, const char *text, size_t size) {
    tensor->rank = 0;
    for (size_t i = 0; i < size; i++) {
        size_t side = 0, digits = 0;
        for (; i < size && text[i] >= '0' && text[i] <= '9' && side < MAX_SIDE; i++, digits++)
            side = side * 10 + (size_t)(text[i] - '0');
        if (!digits || !side || tensor->rank == DP_TENSOR_RANK
            || (i < size && (text[i] != 'x' || i + 1 == size)))
            return false;
        tensor->shape[tensor->rank++] = side;
    }
    return tensor->rank > 0;
}

/* Bytes of the name before "_SHAPE", the last part between underscores that is a shape; 0: there is
 * none. */
static size_t split_name(dp_tensor *tensor, const char *file) {
    size_t end = strlen(file) - (sizeof raw_ending - 1);
    for (size_t at = end; at > 1; at--) {
        if (file[at - 1] != '_')
            continue;
        if (read_shape(tensor, file + at, end - at))
            return at - 1;
        end = at - 1;
    }
    return 0;
}

static bool is_raw(const char *file) {
    size_t length = strlen(file), tail = sizeof raw_ending - 1;
    return length > tail && strcmp(file + length - tail, raw_ending) == 0;
}

static deeper_status read_raw(dp_tensor *tensor, const char *folder, const char *file,
                              const deeper_allocator *allocator, deeper_error *error) {
    size_t length = split_name(tensor, file), elements = 0;
    if (!length || !dp_text_clean(file, length, false))
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s/%s: its name does not say a shape, as in conv1_1x64x112x112.f32", folder,
                       file);
    char *name = dp_strdup(allocator, file), *path = dp_path_join(allocator, folder, file);
    void *data = NULL;
    deeper_status status =
        name && path ? dp_file_read(&data, &tensor->bytes, path, UINT32_MAX, allocator, error)
                     : dp_fail_memory(error, "the name of a recorded tensor");
    if (status == DEEPER_OK
        && (!dp_tensor_elements(tensor, &elements) || tensor->bytes / sizeof(float) != elements
            || tensor->bytes % sizeof(float)))
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: has %zu bytes, which are not the floats that its name says", path,
                         tensor->bytes);
    dp_free(allocator, path);
    if (status != DEEPER_OK) {
        dp_free(allocator, name);
        dp_free(allocator, data);
        return status;
    }
    name[length] = '\0';
    tensor->name = name;
    tensor->data = data;
    return DEEPER_OK;
}

static deeper_status open_folder(dp_recording *recording, const char *path, deeper_error *error) {
    dp_listing listing;
    DP_TRY(dp_listing_read(&listing, path, recording->allocator, error));
    recording->files = dp_alloc(recording->allocator, listing.count, sizeof *recording->files);
    deeper_status status = recording->files || !listing.count
                               ? DEEPER_OK
                               : dp_fail_memory(error, "a list of recorded tensors");
    for (size_t i = 0; status == DEEPER_OK && i < listing.count; i++) {
        if (listing.folders[i] || !is_raw(listing.names[i]))
            continue;
        dp_tensor *tensor = &recording->files[recording->count];
        tensor->dtype = DP_DTYPE_F32;
        status = read_raw(tensor, path, listing.names[i], recording->allocator, error);
        recording->count += status == DEEPER_OK;
    }
    dp_listing_free(&listing, recording->allocator);
    recording->tensors = recording->files;
    return status;
}

/* ---------------------------------------------------------------------------------------- whole */

static deeper_status open_npz(dp_recording *recording, const char *path, deeper_error *error) {
    void *bytes = NULL;
    size_t size = 0;
    DP_TRY(dp_file_read(&bytes, &size, path, UINT32_MAX, recording->allocator, error));
    deeper_status status =
        dp_npz_sniff(bytes, size)
            ? dp_npz_parse(&recording->npz, bytes, size, path, recording->allocator, error)
            : dp_fail(error, DEEPER_ERROR_FORMAT,
                      "%s: neither an npz nor a folder of NAME_SHAPE.f32 files", path);
    dp_free(recording->allocator, bytes);
    DP_TRY(status);
    for (size_t i = 0; i < recording->npz.count; i++)
        if (dp_dtype_is_weight(recording->npz.tensors[i].dtype))
            recording->npz.tensors[recording->count++] = recording->npz.tensors[i];
    recording->tensors = recording->npz.tensors;
    return DEEPER_OK;
}

deeper_status dp_recording_open(dp_recording *recording, const char *path,
                                const deeper_allocator *allocator, deeper_error *error) {
    *recording = (dp_recording){ .allocator = allocator, .npz.allocator = allocator };
    deeper_status status =
        (dp_is_folder(path) == 1 ? open_folder : open_npz)(recording, path, error);
    if (status == DEEPER_OK && recording->count == 0)
        status = dp_fail(error, DEEPER_ERROR_FORMAT, "%s: holds no tensor of floats", path);
    if (status != DEEPER_OK)
        dp_recording_free(recording);
    return status;
}

void dp_recording_free(dp_recording *recording) {
    for (size_t i = 0; recording->files && i < recording->count; i++) {
        dp_free(recording->allocator, (void *)(uintptr_t)recording->files[i].name);
        dp_free(recording->allocator, (void *)(uintptr_t)recording->files[i].data);
    }
    dp_free(recording->allocator, recording->files);
    dp_npz_free(&recording->npz);
    *recording = (dp_recording){ .allocator = recording->allocator };
}
