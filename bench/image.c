/* image.c - see image.h. Built once for both programs. */
#include "image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef BENCH_HAS_PNG
#include <png.h>
#endif
#ifdef BENCH_HAS_JPEG
#include <jpeglib.h>
#endif

const char *image_formats(void)
{
#if defined BENCH_HAS_PNG && defined BENCH_HAS_JPEG
    return "png, jpeg";
#elif defined BENCH_HAS_PNG
    return "png";
#elif defined BENCH_HAS_JPEG
    return "jpeg";
#else
    return "none";
#endif
}

/* ---- PNG ------------------------------------------------------------------------- */

#ifdef BENCH_HAS_PNG
static int read_png(FILE *file, struct image *image)
{
    static const png_color white = {255, 255, 255}; /* behind transparent pixels */
    png_image png = {.version = PNG_IMAGE_VERSION};
    int err = -EINVAL;

    if (!png_image_begin_read_from_stdio(&png, file))
        return -EINVAL;
    png.format = PNG_FORMAT_RGB;
    image->width = png.width;
    image->height = png.height;
    image->pixels = malloc(PNG_IMAGE_SIZE(png));
    if (!image->pixels)
        err = -ENOMEM;
    else if (png_image_finish_read(&png, &white, image->pixels, 0, NULL))
        return 0;
    free(image->pixels);
    image->pixels = NULL;
    png_image_free(&png);
    return err;
}

int image_write(const char *path, const struct image *image)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = PNG_FORMAT_RGB};

    errno = 0;
    if (png_image_write_to_file(&png, path, 0, image->pixels, 0, NULL))
        return 0;
    return errno ? -errno : -EIO;
}
#else
static int read_png(FILE *file, struct image *image)
{
    (void)file, (void)image;
    return -ENOTSUP;
}

int image_write(const char *path, const struct image *image)
{
    (void)path, (void)image;
    return -ENOTSUP;
}
#endif

/* ---- JPEG ------------------------------------------------------------------------ */

#ifdef BENCH_HAS_JPEG
struct jpeg_failure {
    struct jpeg_error_mgr manager; /* first: libjpeg hands out this */
    jmp_buf back;
};

static _Noreturn void fail_jpeg(j_common_ptr jpeg)
{
    struct jpeg_failure *failure = (struct jpeg_failure *)jpeg->err;

    longjmp(failure->back, 1);
}

static int read_jpeg(FILE *file, struct image *image)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_failure failure;
    volatile int err = -EINVAL; /* it outlives a longjmp */

    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = fail_jpeg;
    jpeg_create_decompress(&jpeg);
    if (setjmp(failure.back))
        goto destroy;
    jpeg_stdio_src(&jpeg, file);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    image->width = jpeg.output_width;
    image->height = jpeg.output_height;
    image->pixels = malloc(3 * image->width * image->height);
    if (!image->pixels) {
        err = -ENOMEM;
        goto destroy;
    }
    while (jpeg.output_scanline < jpeg.output_height) {
        uint8_t *row = image->pixels + 3 * image->width * jpeg.output_scanline;

        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    err = 0;

destroy:
    jpeg_destroy_decompress(&jpeg);
    if (err) {
        free(image->pixels);
        image->pixels = NULL;
    }
    return err;
}
#else
static int read_jpeg(FILE *file, struct image *image)
{
    (void)file, (void)image;
    return -ENOTSUP;
}
#endif

int image_read(const char *path, struct image *image)
{
    static const uint8_t png_head[] = {0x89, 'P', 'N', 'G'};
    static const uint8_t jpeg_head[] = {0xff, 0xd8, 0xff};
    uint8_t head[4] = {0};
    FILE *file = fopen(path, "rb");
    int err = -EINVAL;

    *image = (struct image){0};
    if (!file)
        return -errno;
    if (fread(head, 1, sizeof head, file) == sizeof head) {
        rewind(file);
        if (memcmp(head, png_head, sizeof png_head) == 0)
            err = read_png(file, image);
        else if (memcmp(head, jpeg_head, sizeof jpeg_head) == 0)
            err = read_jpeg(file, image);
    }
    fclose(file);
    return err;
}
