/* fuzz_list.c - any bytes as a list file. Checked: every path lies in its line and is whole, labels
 * are below the limit, lines only go forward, and a fault is told once, at the end.
 *
 * covers: src/data/list.c */
#include "data/list.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text =
        malloc(size); /* of exactly this size, for the sanitizer to see what is read past it */
    fuzz_demand(text || size == 0);
    if (size)
        memcpy(text, data, size);
    dp_list list = { .text = text, .size = size };
    const char *path;
    size_t label, line = 0;
    while (dp_list_read(&list, &path, &label)) {
        size_t length = strlen(path), at = (size_t)(path - text);
        fuzz_demand(!list.wrong && list.line > line && at == list.begin && length > 0
                    && at + length < list.end);
        fuzz_demand(list.end <= size && label < DP_LIST_LABELS
                    && memcmp(path, data + at, length) == 0);
        line = list.line;
    }
    fuzz_demand(list.wrong ? list.line > line && list.begin < list.end : list.next == size);
    free(text);
    return 0;
}
