/* scores_page.c - what the scores hold, in the form that src/report takes. */
#include "measure/scores_page.h"

#include "image/crops.h"
#include "report/page.h"
#include "report/report.h"
#include "report/thumbnail.h"

#include <inttypes.h>
#include <stdio.h>

enum { FACTS = 9, TEXT = 512 };

typedef struct page {
    dp_report report;
    char title[TEXT], values[FACTS][TEXT];
    const char *facts[FACTS][2];
    const char **classes;
    deeper_score *rows;
    dp_report_mistake mistakes[DP_MISTAKES];
    dp_report_measured measured;
} page;

static void add_fact(page *p, const char *name) {
    p->facts[p->report.fact_count][0] = name;
    p->facts[p->report.fact_count][1] = p->values[p->report.fact_count];
    p->report.fact_count++;
}

static void list_facts(page *p, const dp_scores *s) {
    char(*value)[TEXT] = p->values;
    char model[DP_PAGE_NAME], data[DP_PAGE_NAME];
    if (s->about.models == 1) {
        snprintf(*value++, TEXT, "%s", s->about.names[0]);
        add_fact(p, "model");
    }
    snprintf(*value++, TEXT, "%s", s->about.data);
    add_fact(p, "data");
    snprintf(*value++, TEXT, "%" PRIu64 ", %" PRIu64 " of them could not be read",
             s->end - s->begin, s->unreadable);
    add_fact(p, "pictures");
    snprintf(*value++, TEXT, "%d", dp_crop_set_size(s->last, NULL));
    add_fact(p, "crops");
    snprintf(*value++, TEXT, "%s", dp_combine_name(s->combine));
    add_fact(p, "combined by");
    if (s->about.shards > 1) {
        snprintf(*value++, TEXT, "%d of %d", s->about.shard, s->about.shards);
        add_fact(p, "shard");
    }
    snprintf(*value, TEXT, "deeper %s", DP_VERSION);
    add_fact(p, "made by");
    if (s->about.models == 1)
        snprintf(p->title, TEXT, "%s on %s", dp_page_name(s->about.names[0], model),
                 dp_page_name(s->about.data, data));
    else
        snprintf(p->title, TEXT, "%d models on %s", s->about.models,
                 dp_page_name(s->about.data, data));
}

static void list_mistakes(page *p, const dp_scores *s, const dp_dataset *dataset) {
    for (size_t i = 0; dataset && i < s->mistakes.count; i++) {
        const dp_mistake *mistake = &s->mistakes.items[i];
        p->mistakes[i] = (dp_report_mistake){ .path = dp_dataset_name(dataset, mistake->image),
                                              .label = mistake->label,
                                              .predicted = mistake->predicted,
                                              .probability = mistake->probability };
        dp_thumbnail(&p->mistakes[i].thumbnail, dataset, mistake->image, s->allocator);
        p->report.mistake_count++;
    }
}

static deeper_status fill(page *p, const dp_scores *s, const dp_dataset *dataset,
                          deeper_error *error) {
    const dp_labels *labels = &s->about.labels;
    const dp_score_row *last = &s->rows[s->row_count - 1];
    p->classes = dp_alloc(s->allocator, s->about.classes, sizeof *p->classes);
    p->rows = dp_alloc(s->allocator, (size_t)s->row_count, sizeof *p->rows);
    if (!p->classes || !p->rows)
        return dp_fail_memory(error, "the page of an evaluation");
    for (size_t i = 0; i < labels->count; i++)
        p->classes[i] = labels->items[i].name;
    for (int row = 0; row < s->row_count; row++)
        dp_scores_describe(s, row, &p->rows[row]);
    p->measured = (dp_report_measured){ .images = last->metrics.images,
                                        .top1 = last->metrics.top1,
                                        .top5 = last->metrics.top5,
                                        .loss = last->metrics.loss / (double)last->metrics.images,
                                        .calibration = last->calibration };
    list_facts(p, s);
    list_mistakes(p, s, dataset);
    p->report.title = p->title;
    p->report.facts = p->facts;
    p->report.classes = p->classes;
    p->report.class_count = s->about.classes;
    p->report.confusion = s->confusion;
    p->report.mistakes = p->mistakes;
    p->report.measured = &p->measured;
    p->report.scores = p->rows;
    p->report.score_count = (size_t)s->row_count;
    return DEEPER_OK;
}

deeper_status dp_scores_page(const char *path, const dp_scores *s, const dp_dataset *pictures,
                             const char *command, deeper_error *error) {
    if (pictures
        && (pictures->image_count != s->about.pictures
            || (s->about.fingerprint && dp_dataset_fingerprint(pictures) != s->about.fingerprint)))
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: its pictures are not those that were evaluated", pictures->path);
    page *p = dp_alloc(s->allocator, 1, sizeof *p);
    if (!p)
        return dp_fail_memory(error, "the page of an evaluation");
    p->report.command = command;
    deeper_status status = fill(p, s, pictures, error);
    if (status == DEEPER_OK)
        status = dp_report_write_html(&p->report, path, s->allocator, error);
    for (size_t i = 0; i < p->report.mistake_count; i++)
        dp_image_free(&p->mistakes[i].thumbnail);
    dp_free(s->allocator, p->classes);
    dp_free(s->allocator, p->rows);
    dp_free(s->allocator, p);
    return status;
}
