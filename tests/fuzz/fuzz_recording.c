/* fuzz_recording.c - recorded tensors as `deeper verify` reads them. The input is a folder, a line
 * a file: its name, a tab, its bytes (zeros; without a number as many as 24 floats have), or after
 * a first line "npz" the bytes of one file. Checked: what opens has tensors of floats with clean
 * names, from the files that say so.
 *
 * covers: src/formats/numpy/recording.c */
#include "base/text.h"
#include "formats/numpy/recording.h"
#include "helpers/fuzz.h"
#include "helpers/scratch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 12, NAME = 255, BYTES_MAX = 1 << 16, BYTES = 24 * sizeof(float) };

static void put_file(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    fuzz_demand(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

/* Opens and looks at all that there is. */
static void open_all(const char *path) {
    dp_recording recording;
    deeper_error error = { 0 };
    deeper_status status = dp_recording_open(&recording, path, NULL, &error);
    fuzz_demand((status == DEEPER_OK) == (recording.count > 0));
    fuzz_demand(status == DEEPER_OK
                || (error.status == status && error.message[0] && !strchr(error.message, '\n')));
    for (size_t i = 0; i < recording.count; i++) {
        const dp_tensor *tensor = &recording.tensors[i];
        size_t elements = 0;
        fuzz_demand(dp_dtype_is_weight(tensor->dtype)
                    && dp_text_clean(tensor->name, strlen(tensor->name), false));
        fuzz_demand(dp_tensor_elements(tensor, &elements)
                    && tensor->bytes == elements * dp_dtype_bytes(tensor->dtype));
        float *values = malloc((elements + 1) * sizeof *values);
        fuzz_demand(values);
        dp_tensor_read(tensor, values);
        free(values);
    }
    dp_recording_free(&recording);
}

/* A file of the folder; false: no file can be named so. */
static bool make_file(char *path, size_t path_size, const char *folder, char *line) {
    static const unsigned char zeros[BYTES_MAX];
    char *tab = strchr(line, '\t');
    size_t bytes = tab ? strtoul(tab + 1, NULL, 10) % BYTES_MAX : BYTES;
    if (tab)
        *tab = '\0';
    if (!*line || strlen(line) > NAME || strchr(line, '/') || !strcmp(line, ".")
        || !strcmp(line, ".."))
        return false;
    snprintf(path, path_size, "%s/%s", folder, line);
    put_file(path, zeros, bytes);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char mark[] = "npz\n";
    char folder[64], paths[FILES][sizeof folder + NAME + 2];
    int count = 0;
    snprintf(folder, sizeof folder, "%s/r", test_scratch());
    if (size >= sizeof mark - 1 && !memcmp(data, mark, sizeof mark - 1)) {
        put_file(folder, data + sizeof mark - 1, size - (sizeof mark - 1));
        open_all(folder);
        unlink(folder);
        return 0;
    }
    char *text = calloc(size + 1, 1), *next = text;
    fuzz_demand(text && mkdir(folder, 0777) == 0);
    if (size)
        memcpy(text, data, size);
    for (char *line; count < FILES && (line = strsep(&next, "\n"));)
        count += make_file(paths[count], sizeof paths[count], folder, line);
    open_all(folder);
    while (count--)
        unlink(paths[count]);
    fuzz_demand(rmdir(folder) == 0);
    free(text);
    return 0;
}
