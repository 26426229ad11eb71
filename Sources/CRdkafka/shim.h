// librdkafka's C interface, with its in-process broker.
#ifndef TOCSIN_CRDKAFKA_SHIM_H
#define TOCSIN_CRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#endif
