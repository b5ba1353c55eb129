/* keys.h - the one vocabulary of JSON: every name that a program prints, with its unit and meaning.
 * A name means one thing in one unit wherever it stands. Writers take KEY_name (app/json.h), so
 * none can be printed that is not here; docs/JSON.md is this table ('deeper help json'), and
 * tests/cli/test_json.sh holds both to what the commands print. In order of the names. */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#define APP_KEYS(X)                                                                                \
    X(about, "text", "one line on what the object is of")                                          \
    X(absolute, "number", "the largest absolute difference of two tensors")                        \
    X(against, "path", "what a model was compared with")                                           \
    X(agree, "truth", "no difference is beyond the tolerance")                                     \
    X(algorithm, "text", "how a step of the plan is computed")                                     \
    X(alike, "count", "layers of the network that have this shape")                                \
    X(already_there, "truth", "the file was there, sound, and was not fetched again")              \
    X(architecture, "text", "name of the network's architecture, graph: one of its own")           \
    X(arena_bytes, "bytes", "activations and workspace that a session holds, memory used again")   \
    X(at, "list", "channel, row and column, from 0")                                               \
    X(aux1, "number", "the loss of the first auxiliary head")                                      \
    X(aux2, "number", "the loss of the second auxiliary head")                                     \
    X(auxiliary, "truth", "part of an auxiliary head, which inference leaves out")                 \
    X(base, "truth", "the row that gains are against")                                             \
    X(batch, "count", "pictures that go through the network together")                             \
    X(best, "truth", "the best epoch so far, whose model is saved")                                \
    X(best_epoch, "count", "the epoch, from 1, whose model is saved; 0: the probe")                \
    X(best_loss, "number", "validation loss of that epoch")                                        \
    X(best_top1, "share", "validation top-1 of that epoch")                                        \
    X(best_top5, "share", "validation top-5 of that epoch")                                        \
    X(beyond, "count", "tensors that differ by more than the tolerance")                           \
    X(boxes, "count", "boxes in a set or of a class")                                              \
    X(built_in, "text", "the way of computing that the library's own model chooses")               \
    X(built_in_ms, "ms", "a run with that way, all threads")                                       \
    X(built_in_one_ms, "ms", "a run with that way, one thread")                                    \
    X(by_figure, "list", "the figures of one class, in the order of figures")                      \
    X(bytes, "bytes", "size of the file")                                                          \
    X(calibration_error, "share",                                                                  \
      "expected calibration error (ECE): how far confidence and share right are apart")            \
    X(changed, "truth", "another way of computing is faster here")                                 \
    X(changes, "count", "shapes of layers that are changed")                                       \
    X(channels, "count", "of the input")                                                           \
    X(checked, "truth", "every picture was decoded")                                               \
    X(choices, "count", "layers' shapes for which a tuning chose")                                 \
    X(class, "index", "number of a class, from 0")                                                 \
    X(class_boxes, "list",                                                                         \
      "of a set with boxes: objects with name, boxes and images, one a class")                     \
    X(class_figures, "list", "objects with name, boxes, detections and by_figure, one a class")    \
    X(class_images, "list", "of a data set: objects with name and images, one a class")            \
    X(classes, "count", "classes of a model or a data set")                                        \
    X(combine, "text", "how the answers to several crops or models become one")                    \
    X(command, "text", "the command line that does it")                                            \
    X(commands, "list", "the commands of the program, an object each")                             \
    X(conflicting, "count", "pictures of the same pixels in two classes")                          \
    X(cost, "count", "forward passes a picture")                                                   \
    X(count, "count", "how many there are of the kind that the object is of")                      \
    X(crop_sheet, "path", "the sheet of crops that was written")                                   \
    X(crops, "count", "views of a picture whose answers are combined")                             \
    X(crowds, "count", "boxes round crowds")                                                       \
    X(data, "text", "the data set, as it was named")                                               \
    X(default, "text", "the value that holds where none is given")                                 \
    X(depth, "count", "layers with parameters on the longest way through a network")               \
    X(description, "text", "paragraphs on a command")                                              \
    X(detection_faults, "list",                                                                    \
      "what was wrong with detections: objects with name, count and about")                        \
    X(detections, "count", "boxes that a detector found")                                          \
    X(difficult, "count", "boxes that are not asked for")                                          \
    X(direct, "count", "choices of a tuning that are direct convolution")                          \
    X(direct_floor_ms, "ms", "direct floor: all multiply-adds at peak_gflops")                     \
    X(empty_classes, "count", "classes without a picture")                                         \
    X(empty_images, "count", "pictures without boxes")                                             \
    X(ending, "text", "of the files of a format")                                                  \
    X(epoch, "count", "of a run, from 1")                                                          \
    X(epoch_steps, "count", "updates of the weights in this epoch")                                \
    X(epochs, "count", "of a run")                                                                 \
    X(error, "text", "why it failed; null: it did not")                                            \
    X(examples, "text", "command lines, one a line")                                               \
    X(faults, "list", "what was wrong with a set: objects with name, count and about")             \
    X(figure, "share", "the value of a protocol: precision averaged over recalls, or a recall")    \
    X(figures, "list", "objects with protocol, name, figure, low, high and about")                 \
    X(fingerprint, "text", "of a data set's names and classes, 16 hexadecimal digits")             \
    X(first, "object", "the first tensor beyond the tolerance; null: none")                        \
    X(format, "text", "of a model file or a set with boxes")                                       \
    X(forward_ms, "ms", "one picture through the network, median")                                 \
    X(gain, "share", "by how much AP50 would rise without mistakes of the kind")                   \
    X(gflops, "number", "10^9 operations a second, two to a multiply-add of direct convolution")   \
    X(gradient_norm, "number", "mean norm of the gradient of the epoch's steps")                   \
    X(hash, "text", "of a file, sha256:HEX or sha1:HEX")                                           \
    X(height, "pixels", "of a picture or a layer's input")                                         \
    X(high, "share", "upper end of the 95 % interval of the figure")                               \
    X(id, "text", "of a class, n02123045; empty: it has none")                                     \
    X(image, "index", "which input of several, from 0")                                            \
    X(image_size, "pixels", "side of a network's square input")                                    \
    X(images, "count", "pictures")                                                                 \
    X(images_per_second, "number", "pictures a second, of what the object is of")                  \
    X(images_seen, "count", "pictures that training took, each as often as it was seen")           \
    X(input, "path", "the model that was read")                                                    \
    X(inputs, "count", "pictures that both were run on")                                           \
    X(isa, "text", "instruction set: avx512, avx2, neon, portable")                                \
    X(joules, "J", "energy of one picture")                                                        \
    X(keys, "list", "this table: objects with name, unit and about")                               \
    X(kind, "text", "what a file is, or of what kind a switch's value")                            \
    X(kinds, "count", "shapes of layers that a tuning looked at")                                  \
    X(labels, "truth", "the model knows its classes by id or name")                                \
    X(large, "count", "boxes of a larger area than 96 x 96")                                       \
    X(layer, "text", "name of a layer")                                                            \
    X(layer_names, "list", "names of layers")                                                      \
    X(layers, "list", "objects, one a layer, or one a step of the plan or shape of a layer")       \
    X(leaked, "count", "pictures of the same pixels in training and validation")                   \
    X(learning_rate, "number", "of training")                                                      \
    X(letter, "text", "of a switch's short form")                                                  \
    X(logit_checksum, "number", "sum of the logits of a fixed input")                              \
    X(loss, "number", "cross-entropy, nats a picture")                                             \
    X(low, "share", "lower end of the 95 % interval of the figure")                                \
    X(machine, "text", "the processor that a tuning was measured on")                              \
    X(main, "number", "the loss of the main head")                                                 \
    X(max, "number", "the largest value that is taken")                                            \
    X(median_ms, "ms", "of one run of a batch")                                                    \
    X(medium, "count", "boxes of an area from 32 x 32 to 96 x 96")                                 \
    X(member, "text", "of a comparison, as it was named")                                          \
    X(merged, "path", "the whole that saved parts became")                                         \
    X(min, "number", "the smallest value that is taken")                                           \
    X(min_ms, "ms", "the fastest run")                                                             \
    X(mistakes, "list", "kinds of wrong detections: objects with name, count, gain and about")     \
    X(model, "path", "the model, several with commas; all: their mean")                            \
    X(model_names, "list", "paths of models")                                                      \
    X(models, "count", "models of an ensemble")                                                    \
    X(ms, "ms", "a step of the plan in the fastest run")                                           \
    X(multiply_adds, "count", "of one picture at inference, or of one layer of it")                \
    X(multiply_adds_with_heads, "count", "the same with auxiliary heads")                          \
    X(name, "text", "of what the object is of: class, layer, model, command, key")                 \
    X(not_compared, "list", "names of tensors without a partner")                                  \
    X(operands, "text", "of a command, as usage shows them")                                       \
    X(operation, "text", "of a layer or a step: conv, max_pool ...")                               \
    X(options, "text", "of an architecture: norm=lrn,stem=full,...")                               \
    X(other, "text", "name of a tensor in what was compared with")                                 \
    X(other_load, "number", "processors that other programs kept busy; null: not known")           \
    X(output, "path", "the file that was written")                                                 \
    X(output_bytes, "bytes", "of what a layer puts out, or all layers of inference together")      \
    X(outputs, "count", "channels of a layer's output")                                            \
    X(p, "share", "probability of a class")                                                        \
    X(p90_ms, "ms", "what 90 % of the runs do not exceed")                                         \
    X(packed_bytes, "bytes", "weights as a session keeps them")                                    \
    X(page, "path", "of a page that was written; null: none")                                      \
    X(parameters, "count", "of inference, or of one layer")                                        \
    X(parameters_with_heads, "count", "the same with auxiliary heads")                             \
    X(part, "text", "the part of a set that the object is of; null: all")                          \
    X(parts, "count", "files that were merged")                                                    \
    X(path, "path", "of the picture or file that the object is of")                                \
    X(peak_gflops, "number", "fp32 peak of the same threads, 10^9 operations a second")            \
    X(peak_rss_bytes, "bytes", "memory of the process at its largest")                             \
    X(phase, "index", "steps of one phase run at the same time")                                   \
    X(plan, "text", "the plan, or what one pass of the planner decided")                           \
    X(points, "list", "objects with learning_rate, loss and smoothed")                             \
    X(precision, "text", "of the arithmetic")                                                      \
    X(preprocess, "text", "name of a published preprocessing")                                     \
    X(preprocessing, "text", "how pictures become the input; null: not known")                     \
    X(preset, "text", "name of a comparison")                                                      \
    X(preview, "path", "the sheet of training pictures that was written")                          \
    X(probe_images, "count", "training pictures that the linear probe saw; 0: the run had none")   \
    X(probe_top1, "share", "of validation pictures that the linear probe has right")               \
    X(protocol, "text", "whose rule a figure is by: coco, voc07, voc10, ilsvrc")                   \
    X(pulled, "truth", "a published model is here")                                                \
    X(ratio_to_floor, "number", "median_ms / direct_floor_ms, or the same of a step")              \
    X(reads, "list", "indices of the layers that a layer reads")                                   \
    X(recipe, "text", "the published preprocessing that it is; null: none of them")                \
    X(reference, "number", "the value in what was compared with")                                  \
    X(relative, "number", "absolute / the largest value of the tensor")                            \
    X(repeated, "count", "pictures of the same pixels in one class")                               \
    X(resumed_at, "bytes", "where a transfer went on")                                             \
    X(run, "path", "folder of a run")                                                              \
    X(runs, "count", "that were timed")                                                            \
    X(schema, "count", "version of this vocabulary, in every object on a line of its own")         \
    X(seconds, "s", "that the work took")                                                          \
    X(seconds_left, "s", "to the end of a run, as far as can be told")                             \
    X(set_parts, "list", "names of the parts that a set says it has")                              \
    X(sets, "list", "of a tuning: objects with isa, choices and direct")                           \
    X(settings, "list", "options of an architecture: objects with name and values")                \
    X(shape, "list", "channels, height and width of an output")                                    \
    X(shard, "count", "which part of a data set, from 1")                                          \
    X(shards, "count", "parts of it")                                                              \
    X(share, "share", "of the wall time of the run")                                               \
    X(small, "count", "boxes of an area up to 32 x 32")                                            \
    X(smoothed, "number", "loss, averaged over steps")                                             \
    X(sound, "truth", "nothing is wrong with it")                                                  \
    X(source, "text", "where a file came from")                                                    \
    X(steepest, "number", "learning rate in the decade over which the loss fell fastest")          \
    X(steps, "count", "updates of the weights")                                                    \
    X(stopped, "truth", "a signal ended the run; --resume goes on")                                \
    X(stride, "list", "rows and columns; 0: none")                                                 \
    X(switches, "list", "options of a command, an object each")                                    \
    X(taken_back, "truth", "the whole network was slower with the choices, which were dropped")    \
    X(takes, "text", "what the value of a switch is called, or its choices; null: it has none")    \
    X(tensors, "count", "that were compared")                                                      \
    X(tenth, "number", "a tenth of the learning rate at which the loss was least")                 \
    X(threads, "count", "that were used")                                                          \
    X(tiny, "count", "pictures of less than 32 pixels in width or height")                         \
    X(tolerance, "number", "largest relative difference that is allowed")                          \
    X(top, "list", "the most probable classes: objects with class, id, name and p")                \
    X(top1, "share", "pictures whose most probable class is the right one")                        \
    X(top1_gain, "share", "top1 less that of the base")                                            \
    X(top1_high, "share", "upper end of the 95 % interval of top1")                                \
    X(top1_low, "share", "lower end of the 95 % interval of top1")                                 \
    X(top1_p, "share", "p value of McNemar's exact test against the base")                         \
    X(top1_real, "truth", "the difference is significant: top1_p is below 0.05")                   \
    X(top5, "share", "pictures with the right class among the five most probable")                 \
    X(top5_gain, "share", "as top1_gain")                                                          \
    X(top5_high, "share", "as top1_high")                                                          \
    X(top5_low, "share", "as top1_low")                                                            \
    X(top5_p, "share", "as top1_p")                                                                \
    X(top5_real, "truth", "as top1_real")                                                          \
    X(train, "truth", "training steps were timed, not inference")                                  \
    X(train_loss, "number", "loss over the epoch, of all heads as they are weighted")              \
    X(train_losses, "object", "loss over the epoch, by head")                                      \
    X(train_seconds, "s", "that the training of a member took")                                    \
    X(train_top1, "share", "top-1 over the epoch's training pictures as they were shown")          \
    X(training_images_per_second, "number", "pictures a second in training steps")                 \
    X(training_multiply_adds, "count", "of one picture in a training step, forward and backward")  \
    X(tuned, "text", "the fastest way of computing that was measured")                             \
    X(tuned_ms, "ms", "a run with that way, all threads")                                          \
    X(tuned_one_ms, "ms", "a run with that way, one thread")                                       \
    X(tuning, "path", "the tuning file that was used or written; null: none")                      \
    X(unit, "text", "of a key")                                                                    \
    X(unreadable, "count", "pictures that could not be read")                                      \
    X(url, "text", "public address of a file")                                                     \
    X(used, "truth", "a tuning is of this machine, and used")                                      \
    X(val, "object", "the validation part of a data set: images and class_images")                 \
    X(val_losses, "object", "validation loss, by head")                                            \
    X(val_top1, "share", "validation top-1")                                                       \
    X(val_top5, "share", "validation top-5")                                                       \
    X(value, "number", "of a tensor")                                                              \
    X(values, "text", "that an option of an architecture takes")                                   \
    X(version, "text", "of deeper")                                                                \
    X(waiting_ms, "ms", "part of a step's time in which threads had nothing to do")                \
    X(warning, "text", "what the watch over a run says")                                           \
    X(width, "pixels", "of a picture or a layer's input")                                          \
    X(window, "list", "rows and columns of a layer's window; 0: none")                             \
    X(worst, "object", "the tensor with the largest relative difference")

#define APP_KEY_NAME(name_, unit_, about_) KEY_##name_,
typedef enum app_key { APP_KEYS(APP_KEY_NAME) APP_KEY_COUNT } app_key;
#undef APP_KEY_NAME

enum { APP_SCHEMA = 1 }; /* raised when a key is renamed or its meaning changes */

/* A row of the table. */
const char *app_key_name(app_key key);
const char *app_key_unit(app_key key);
const char *app_key_about(app_key key);

#endif
