/* http_server.c - an HTTP/1.1 server on the loopback for the tests of `deeper pull`: one file, one
 * request a connection, and a folder of the address for each way in which real servers behave or
 * fail.
 *
 *     http_server FILE PORT_FILE LOG_FILE
 *
 * Writes its port to PORT_FILE when it listens, and a line "PATH first=BYTE" a request to LOG_FILE;
 * runs until it is killed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the folder of the address asks for. */
typedef struct behaviour {
    const char *folder;
    const char *tag;      /* ETag of the file, or "" */
    const char *redirect; /* folder to send the client to, or NULL */
    int status;           /* 0: by the request */
    int ignores_range;
    int shifts_range; /* answers a range with another one */
    int cuts;         /* closes after half of what it promised */
    int no_length;    /* says no Content-Length */
} behaviour;

static const behaviour behaviours[] = {
    { .folder = "/plain/", .tag = "\"one\"" },
    { .folder = "/cut/", .tag = "\"one\"", .cuts = 1 },
    { .folder = "/changed/", .tag = "\"two\"" },
    { .folder = "/untagged/", .tag = "" },
    { .folder = "/norange/", .tag = "\"one\"", .ignores_range = 1 },
    { .folder = "/shifted/", .tag = "", .shifts_range = 1 },
    { .folder = "/chunkless/", .tag = "", .ignores_range = 1, .no_length = 1 },
    { .folder = "/moved/", .tag = "", .redirect = "/plain/" },
    { .folder = "/circle/", .tag = "", .redirect = "/circle/" },
    { .folder = "/broken/", .tag = "", .status = 500 },
};
static const behaviour missing = { .folder = "/", .tag = "", .status = 404 };

static char *file;
static size_t file_size;

static void send_all(int client, const char *bytes, size_t size) {
    while (size) {
        ssize_t put = send(client, bytes, size, MSG_NOSIGNAL);
        if (put <= 0)
            return;
        bytes += put;
        size -= (size_t)put;
    }
}

static const behaviour *find_behaviour(const char *path) {
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++)
        if (!strncmp(path, behaviours[i].folder, strlen(behaviours[i].folder)))
            return &behaviours[i];
    return &missing;
}

/* Value of a request header; "" if it is not there. */
static void header_of(const char *request, const char *name, char *value, size_t size) {
    value[0] = 0;
    for (const char *line = strstr(request, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, strlen(name)))
            snprintf(value, size, "%.*s", (int)strcspn(line + 2 + strlen(name), "\r"),
                     line + 2 + strlen(name));
}

static void answer(int client, const behaviour *how, const char *name, size_t first, int ranged) {
    char head[1024];
    int length;
    if (how->redirect) {
        length = snprintf(head, sizeof head,
                          "HTTP/1.1 302 Found\r\nLocation: %s%s\r\nContent-Length: 0\r\n\r\n",
                          how->redirect, name);
        send_all(client, head, (size_t)length);
        return;
    }
    if (how->status || (ranged && first >= file_size)) {
        length = snprintf(head, sizeof head, "HTTP/1.1 %d No\r\nContent-Length: 4\r\n\r\nno!\n",
                          how->status ? how->status : 416);
        send_all(client, head, (size_t)length);
        return;
    }
    if (how->shifts_range && ranged)
        first = 1;
    length = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nConnection: close\r\n",
                      ranged ? "206 Partial Content" : "200 OK");
    if (how->tag[0])
        length += snprintf(head + length, sizeof head - (size_t)length, "ETag: %s\r\n", how->tag);
    if (!how->no_length)
        length += snprintf(head + length, sizeof head - (size_t)length, "Content-Length: %zu\r\n",
                           file_size - first);
    if (ranged)
        length += snprintf(head + length, sizeof head - (size_t)length,
                           "Content-Range: bytes %zu-%zu/%zu\r\n", first, file_size - 1, file_size);
    length += snprintf(head + length, sizeof head - (size_t)length, "\r\n");
    send_all(client, head, (size_t)length);
    send_all(client, file + first, how->cuts ? (file_size - first) / 2 : file_size - first);
}

static void serve(int client, FILE *log) {
    char request[8192] = "", path[1024] = "", range[64], guard[64];
    size_t size = 0;
    while (!strstr(request, "\r\n\r\n") && size + 1 < sizeof request) {
        ssize_t got = recv(client, request + size, sizeof request - 1 - size, 0);
        if (got <= 0)
            return;
        size += (size_t)got;
        request[size] = 0;
    }
    sscanf(request, "GET %1023s", path);
    const behaviour *how = find_behaviour(path);
    header_of(request, "Range: bytes=", range, sizeof range);
    header_of(request, "If-Range: ", guard, sizeof guard);
    size_t first = strtoul(range, NULL, 10);
    int ranged = range[0] && !how->ignores_range && (!guard[0] || !strcmp(guard, how->tag));
    fprintf(log, "%s first=%zu\n", path, first);
    fflush(log);
    answer(client, how, path + strlen(how->folder), ranged ? first : 0, ranged);
}

static void load(const char *name) {
    FILE *in = fopen(name, "rb");
    if (!in || fseek(in, 0, SEEK_END)) {
        perror(name);
        exit(1);
    }
    file_size = (size_t)ftell(in);
    rewind(in);
    file = malloc(file_size + 1);
    if (!file || fread(file, 1, file_size, in) != file_size)
        exit(1);
    fclose(in);
}

int main(int count, char **words) {
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    if (count != 4)
        return 2;
    load(words[1]);
    FILE *log = fopen(words[3], "w");
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!log || server < 0 || bind(server, (struct sockaddr *)&address, length) || listen(server, 8)
        || getsockname(server, (struct sockaddr *)&address, &length)) {
        perror("http_server");
        return 1;
    }
    FILE *port = fopen(words[2], "w");
    if (!port)
        return 1;
    fprintf(port, "%d\n", ntohs(address.sin_port));
    fclose(port);
    for (;;) {
        int client = accept(server, NULL, NULL);
        if (client < 0)
            continue;
        serve(client, log);
        shutdown(client, SHUT_WR);
        close(client);
    }
}
