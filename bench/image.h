/* image.h - pictures from and to files, by libpng and libjpeg, as far as this program was
 * built with them. */
#ifndef BENCH_IMAGE_H
#define BENCH_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image {
    size_t width;
    size_t height;
    uint8_t *pixels; /* red, green, blue; rows from the top, without gaps */
};

/** image_formats - what can be read, for people: "png, jpeg", or "none". */
const char *image_formats(void);

/** image_read - a PNG or JPEG file; the caller frees the pixels. Returns 0 or a negative
 * errno: -ENOTSUP for a format that this program was built without, -EINVAL for others. */
int image_read(const char *path, struct image *image);

/** image_write - as PNG. Returns 0 or a negative errno, -ENOTSUP without libpng. */
int image_write(const char *path, const struct image *image);

#endif
