/* replay.c - gives each file of a corpus to a fuzzer, without libFuzzer: what was found once is
 * tried again in every build. Prints TAP. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* An exact copy on the heap, so that a read past its end is seen. */
static void replay(const char *path)
{
    static uint8_t buffer[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t n = fread(buffer, 1, sizeof(buffer), f);
    fclose(f);

    uint8_t *copy = malloc(n ? n : 1);
    for (size_t i = 0; i < n; i++)
        copy[i] = buffer[i];
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        fputs("usage: fuzz_NAME CORPUS\n", stderr);
        return 2;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_type != DT_REG)
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        replay(path);
        count++;
    }
    closedir(dir);
    printf("ok 1 - %d inputs\n", count);
    return count ? 0 : 1;
}
