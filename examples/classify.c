/* classify.c - the smallest complete program with libdeeper: a model, a photo, its five most
 * probable classes. Build: cc classify.c $(pkg-config --cflags --libs deeper) -o classify */
#include <deeper/deeper.h>
#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: classify MODEL IMAGE\n");
        return 2;
    }
    deeper_model *model = NULL;
    deeper_session *session = NULL;
    deeper_image *image = NULL;
    deeper_prediction top[5];
    deeper_error error = { 0 };
    size_t count = 0;
    deeper_status status = deeper_model_open(&model, argv[1], NULL, &error);
    if (status == DEEPER_OK)
        status = deeper_session_create(&session, model, NULL, &error);
    if (status == DEEPER_OK)
        status = deeper_image_open(&image, argv[2], NULL, &error);
    if (status == DEEPER_OK)
        status = deeper_classify(session, image, 1, top, 5, &count, &error);
    for (size_t i = 0; i < count; i++)
        printf("%.3f %s %s\n", (double)top[i].probability, top[i].id, top[i].name);
    if (status != DEEPER_OK)
        fprintf(stderr, "classify: %s\n", error.message);
    deeper_image_close(image);
    deeper_session_free(session);
    deeper_model_close(model);
    return status == DEEPER_OK ? 0 : 1;
}
