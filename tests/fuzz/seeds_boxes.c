/* seeds_boxes.c - writes the first inputs of fuzz_boxes: FOLDER/fuzz_boxes/N. */
#include "helpers/seeds.h"

#include <string.h>

static const struct {
    int form;
    const char *text;
} seeds[] = {
    { 0,
      "<annotation><size><width>100</width><height>50</height></size><object><name>cat</name>"
      "<difficult>1</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>"
      "</bndbox></object></annotation>" },
    { 0, "<!DOCTYPE a [<!ENTITY b 'c'>]><annotation>&b;</annotation>" },
    { 0, "<annotation><object><part><name>head</name></part></object></annotation" },
    { 1,
      "{\"info\":{\"a\":[1,\"\\\"]\"]},\"images\":[{\"id\":9,\"file_name\":\"a.jpg\",\"width\":10,"
      "\"height\":5},{\"id\":2,\"file_name\":\"b.jpg\"}],\"categories\":[{\"id\":3,\"name\":"
      "\"cat\"},"
      "{\"id\":1,\"name\":\"dog\"},{\"id\":5,\"name\":\"cat\"}],\"annotations\":[{\"id\":1,\"image_"
      "id\":9,"
      "\"category_id\":3,\"bbox\":[1,2,3,4.5],\"area\":12,\"iscrowd\":1},{\"id\":1},{\"id\":2.5},"
      "{\"id\":4,\"bbox\":[1,2,3]},{\"id\":5,\"image_id\":1,\"category_id\":3,\"bbox\":[1,2,3,4]},"
      "{\"id\":6,\"image_id\":9,\"category_id\":4,\"bbox\":[1,2,3,4]},{\"id\":7.0,\"image_id\":2,"
      "\"category_id\":1,\"bbox\":[null,2,3,4]},{\"id\":8,\"image_id\":2,\"category_id\":1,"
      "\"bbox\":"
      "[0,0,-1,2],\"iscrowd\":true}]}" },
    { 1, "{\"images\":[],\"categories\":[],\"annotations\":[1,{\"id\":2}]}" },
    { 1,
      "{\"images\":[{\"id\":1,\"file_name\":\"\"},{\"id\":1,\"file_name\":\"a\"},{\"id\":1,"
      "\"file_name\":\"b\"},5],\"categories\":[{\"id\":1},{\"name\":\"x\"}],\"annotations\":[]}" },
    { 1, "{\"images\":{},\"categories\":7,\"annotations\":null}" },
    { 1, "[1]" },
    { 2, "0 0.5 0.5 0.2 0.2\n1 .1 .1 .3 .1 .3 .4\r\n\n2 1 1\nx 1 1 1 1\n-1 0 0 1 1\n0 nan 0 1 1\n"
         "1e9 0 0 1 1\n0 0 0 -1 1\n" },
    { 3, "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,100,50,cat,1,2,30,40\n"
         "\"b,\"\"c\"\".jpg\",,,dog,1,2,x,4\n,,,,,,,\nd.jpg,,,,,,,\ne.jpg,1,1,,1,2,3,4\n" },
    { 3, "a.jpg,1,2,3,4,cat\nb.jpg,,,,,\n" },
    { 3, "hello\n" },
    { 4, "# 0\na.jpg\n3\n50\n100\n3\n1 1 2 3 20 30\n0 0.2 1 1 5 5\n2 x 1 1 1 1\n# "
         "1\nb.jpg\n3\n1\n1\n0\n" },
    { 4, "# 0\na.jpg\n3\n50\n" },
    { 4, "# 0\na.jpg\n3\n50\n100\n4000000000\n1 1 2 3 20 30\n" },
    { 4, "hello\n" },
    { 5, "path: ../set\ntrain: images/train\nval:\n  - a\n  - b\nnames:\n  0: cat\n  1: dog\n" },
    { 5, "names: [cat, dog, cat]\n" },
    { 5, "names: {0: cat, 2: dog}\n" },
    { 5, "train: x\n" },
    { 5, "names: [a, [b]]\n" },
    { 5, "a: [\n" },
    { 6,
      "[{\"image_id\":7,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":0.5},{\"image_id\":8,"
      "\"category_id\":1,\"bbox\":[1,2,3,4]},{\"image_id\":7,\"category_id\":2,\"bbox\":[1,2,3,4]},"
      "{\"image_id\":7.0,\"category_id\":1,\"bbox\":[1,2,3,\"x\"],\"score\":1},{}]" },
    { 6, "[1, 2" },
    { 6, "filename,class,xmin,ymin,xmax,ymax,score\na.jpg,cat,1,2,3,4,.5\nb,cat,1,2,3,4,.5\n"
         "a,dog,1,2,3,4,.5\na,cat,1,2,3,4,x\n" },
    { 7, "a 0.5 1 2 3 4\nb 1 1 1 2 2\na 1\n\n" },
    { 8, "0 .5 .5 .1 .1 .9\n1 .5 .5 .1 .1 .9\n0 1\n" },
};

int main(int argc, char **argv) {
    seeds_open(argc, argv);
    seeds_begin("fuzz_boxes");
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        seeds_save_after(seeds[i].form, seeds[i].text, strlen(seeds[i].text));
    return 0;
}
