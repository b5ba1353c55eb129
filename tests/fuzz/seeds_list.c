/* seeds_list.c - writes the first inputs of fuzz_list: FOLDER/fuzz_list/N. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const seeds[] = {
    "a.jpg 0\n",       "folder/a b.png\t12\r\n\n  \nc 999999",
    "a.jpg\n",         "a.jpg cat\n",
    "a.jpg 1000000\n", " 7\n",
    "a 1 \t\r\nb 2",
};

int main(int argc, char **argv) {
    char path[4096];
    if (argc != 2)
        return 2;
    mkdir(argv[1], 0777);
    snprintf(path, sizeof path, "%s/fuzz_list", argv[1]);
    mkdir(path, 0777);
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        snprintf(path, sizeof path, "%s/fuzz_list/%zu", argv[1], i);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(seeds[i], 1, strlen(seeds[i]), file) != strlen(seeds[i])
            || fclose(file) != 0) {
            perror(path);
            return 1;
        }
    }
    return 0;
}
