/* page.c - the frame, the style sheet and the small parts. */
#include "report/page.h"

#include "report/markup.h"
#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light "
    "dark;--page:#fff;--text:#1b1f24;--soft:#4b535d;--faint:#5a636e;--rule:#e3e6ea;--card:#f6f7f9;"
    "--hit:31 95 208;--miss:195 48 29;--cell:#000;--tint:31 95 208}\n"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--page:#14171b;--text:#e6e9ed;--soft:#b3bac3;--faint:#"
    "9aa3ad;"
    "--rule:#2b3138;--card:#1c2126;--hit:52 112 220;--miss:205 66 44;--cell:#fff;--tint:116 169 "
    "255}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 "
    "system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "\"Noto Sans\",\"Noto Sans CJK KR\",\"DejaVu Sans\",sans-serif}\n"
    "main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 3rem}\n"
    "h1{font-size:1.7rem;line-height:1.25;margin:0 0 1.2rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.15rem;margin:2.4rem 0 .6rem}\n"
    ".note,footer{color:var(--soft);font-size:.9rem;margin:.2rem 0 .8rem}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.8rem;margin:"
    "0}\n"
    ".tiles div{background:var(--card);border-radius:.5rem;padding:.7rem .9rem}\n"
    ".tiles dt{color:var(--soft);font-size:.85rem}.tiles "
    "dd{margin:0;font-size:1.4rem;white-space:nowrap;font-weight:600;line-height:1.3;"
    "font-variant-numeric:tabular-nums}\n"
    ".tiles small{display:block;font-size:.8rem;font-weight:400;color:var(--faint)}\n"
    ".curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1."
    "6rem 2rem}\n"
    ".columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:"
    "0 2rem}\n"
    ".curves .plot{max-width:44rem}\n"
    "figure{margin:0}figcaption{font-weight:600;margin-bottom:.3rem}figcaption "
    "small{font-weight:400;color:var(--faint)}\n"
    "table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;padding:.28rem .7rem .28rem 0;border-bottom:1px solid "
    "var(--rule);vertical-align:top;"
    "overflow-wrap:break-word}\n"
    "thead th{color:var(--soft);font-weight:600}\n"
    ".n,.bar{text-align:right;white-space:nowrap}\n"
    ".bar{padding-left:.7rem;background:linear-gradient(90deg,rgb(var(--tint)/.16) "
    "calc(var(--v)*100%),transparent 0)}\n"
    ".wide{overflow-x:auto;max-width:100%}.scroll{max-height:32rem;overflow-y:auto}.scroll "
    "table{width:100%}\n"
    ".scroll thead th{position:sticky;top:0;background:var(--page)}\n"
    ".heat{border-spacing:2px;border-collapse:separate}\n"
    ".heat th,.heat td{border:0;padding:.2rem .35rem;font-weight:400}\n"
    ".heat td{color:var(--cell)}.heat thead td{background:none}\n"
    ".heat thead th{vertical-align:bottom;text-align:center}\n"
    ".heat thead "
    "span{writing-mode:vertical-rl;text-orientation:sideways;white-space:nowrap;transform:rotate("
    "180deg);max-height:11rem;overflow:"
    "hidden}\n"
    ".heat tbody "
    "th{text-align:right;vertical-align:middle;white-space:nowrap;max-width:14rem;overflow:hidden;"
    "text-overflow:ellipsis;position:"
    "sticky;"
    "left:0;background:var(--page)}\n"
    ".heat "
    "td{min-width:2.7rem;height:2.1rem;text-align:center;vertical-align:middle;border-radius:3px;"
    "background:var(--card)}\n"
    ".heat .hit[style]{background:rgb(var(--hit)/var(--v))}.heat "
    ".miss{background:rgb(var(--miss)/var(--v))}\n"
    ".heat .deep{color:#fff}\n"
    ".dense{border-spacing:1px;font-size:.7rem}.dense "
    "td{min-width:1.45rem;height:1.45rem;padding:0;border-radius:2px}\n"
    ".dense th{padding:0 .3rem}.dense thead th{padding:.2rem 0}\n"
    ".tiny{font-size:.58rem}.tiny td{min-width:.95rem;height:1.1rem}\n"
    ".mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:1.2rem "
    "1rem}\n"
    ".mistakes figure{min-width:0;break-inside:avoid}\n"
    ".mistakes "
    "img{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:var(--card);border-"
    "radius:.4rem}\n"
    ".mistakes .pixels{image-rendering:pixelated}\n"
    ".mistakes figcaption{font-weight:400;font-size:.85rem;line-height:1.35;margin:.4rem 0 "
    "0;overflow-wrap:anywhere}\n"
    ".mistakes figcaption small{display:block;font-size:.75rem}\n"
    "pre{background:var(--card);border-radius:.5rem;padding:.8rem "
    "1rem;margin:0;white-space:pre-wrap;overflow-wrap:anywhere;"
    "font:.88rem/1.5 ui-monospace,\"DejaVu Sans Mono\",monospace;user-select:all}\n"
    ".facts{width:100%}.facts td,.facts th{overflow-wrap:anywhere}.facts "
    "th{width:14rem;color:var(--soft);font-weight:400}\n"
    "details{margin-top:2.4rem}summary{cursor:pointer;font-size:1.15rem;font-weight:600}\n"
    ".epochs td,.epochs th{text-align:right;white-space:nowrap;padding:.2rem .6rem}.epochs "
    ".best{font-weight:700}\n"
    ".epochs{font-size:.8rem}.epochs thead "
    "th{white-space:normal;overflow-wrap:normal;vertical-align:bottom}\n"
    "footer{margin-top:3rem;border-top:1px solid var(--rule);padding-top:.7rem}\n"
    "@media(max-width:36rem){.facts th,.facts "
    "td{display:block;width:auto;border:0;padding:0}.facts td{padding-bottom:.5rem}}\n"
    "@media "
    "print{.wide{overflow:visible}.wide th,.wide td{padding:.15rem .35rem .15rem "
    "0}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}html{font-size:11px}body{"
    "font-size:1rem}"
    "main{max-width:none;padding:0}.scroll{max-height:none}.plot,tr,.tiles div{break-inside:avoid}"
    "h2,.note,summary{break-after:avoid}.strip,details{display:none}.curves,.columns{grid-template-"
    "columns:1fr 1fr}}\n";

void dp_page_begin(dp_buffer *buffer, const char *title) {
    dp_buffer_printf(
        buffer, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    dp_markup_text(buffer, title);
    dp_buffer_printf(buffer, "</title>\n<style>\n%s%s</style></head>\n<body><main>\n<h1>", style,
                     dp_plot_style);
    dp_markup_text(buffer, title);
    dp_buffer_printf(buffer, "</h1>\n");
}

void dp_page_end(dp_buffer *buffer) {
    dp_buffer_printf(buffer, "<footer>Written by deeper %s.</footer>\n</main></body></html>\n",
                     DP_VERSION);
}

void dp_page_begin_tile(dp_buffer *buffer, const char *name) {
    dp_buffer_printf(buffer, "<div><dt>%s</dt><dd>", name);
}

void dp_page_end_tile(dp_buffer *buffer) {
    dp_buffer_printf(buffer, "</dd></div>\n");
}

void dp_page_number(dp_buffer *buffer, double value, int digits) {
    if (isfinite(value))
        dp_buffer_printf(buffer, "%.*g", digits, value);
    else
        dp_buffer_printf(buffer, DP_PAGE_DASH);
}

void dp_page_command(dp_buffer *buffer, const char *title, const char *command) {
    dp_buffer_printf(buffer, "<section><h2>%s</h2>\n<pre>", title);
    dp_markup_text(buffer, command);
    dp_buffer_printf(buffer, "</pre></section>\n");
}

const char *dp_page_name(const char *path, char text[DP_PAGE_NAME]) {
    static const char usual[] = "/model.safetensors";
    size_t end = strlen(path), tail = sizeof usual - 1, begin;
    if (end > tail && strcmp(path + end - tail, usual) == 0)
        end -= tail;
    while (end > 1 && path[end - 1] == '/')
        end--;
    for (begin = end; begin > 0 && path[begin - 1] != '/';)
        begin--;
    if (end - begin >= DP_PAGE_NAME) {
        begin = end - DP_PAGE_NAME + 4;
        while (((unsigned char)path[begin] & 0xC0) == 0x80) /* whole letters */
            begin++;
        snprintf(text, DP_PAGE_NAME, "...%.*s", (int)(end - begin), path + begin);
    } else {
        snprintf(text, DP_PAGE_NAME, "%.*s", (int)(end - begin), path + begin);
    }
    return text;
}
