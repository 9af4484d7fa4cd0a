/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives the files named on the command line, and those in the folders named there, to a fuzz
 * target: what a fuzzer once found stays tested, with any compiler and without one.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { INPUT_MAX_BYTES = 4 << 20, PATH_MAX_BYTES = 4096 };

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *input = malloc(INPUT_MAX_BYTES);
    if (file == NULL || input == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    size_t size = fread(input, 1, INPUT_MAX_BYTES, file);
    (void)fclose(file);
    (void)printf("%s, %zu bytes\n", path, size);
    (void)fflush(stdout); /* so that the last line names the input that ended the program */
    char *exact = fuzz_copy(input, size, 0);
    free(input);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, size);
    free(exact);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_input, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX_BYTES];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        replay_file(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return count;
}

int main(int argc, char **argv)
{
    int inputs = 0;
    for (int i = 1; i < argc; i++) {
        struct stat status;
        int found = 0;
        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            found = replay_folder(argv[i]);
        } else {
            replay_file(argv[i]);
            found = 1;
        }
        if (found <= 0) {
            (void)fprintf(stderr, "%s: no inputs there\n", argv[i]);
            return EXIT_FAILURE;
        }
        inputs += found;
    }
    (void)printf("%d inputs replayed\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
