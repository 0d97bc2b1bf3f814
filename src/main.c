/* main.c - the program; everything it can do is in edge/. */
#include <stdio.h>

int main(void)
{
    puts("fettle");
    return 0;
}
