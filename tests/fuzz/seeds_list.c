/* seeds_list.c - writes the first inputs of fuzz_list: FOLDER/fuzz_list/N. */
#include "helpers/seeds.h"

#include <string.h>

static const char *const seeds[] = {
    "a.jpg 0\n",
    "folder/a b.png\t12\r\n\n  \nc 999999",
    "a.jpg\n",
    "a.jpg cat\n",
    "a.jpg 1000000\n",
    " 7\n",
    "a 1 \t\r\nb 2",
    "a.jpg,cat\nb.jpg,dog",
    "path;label;part\r\na;x;train\n\nb;y;val2017",
    "\"a, \"\"b\"\".jpg\" , \"x\ny\" \n\"open",
    "Label\tFILE\nx\ty",
};

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_list");
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        seeds_save(seeds[i], strlen(seeds[i]));
    return 0;
}
