#ifndef TOCSIN_CRE2_H
#define TOCSIN_CRE2_H

#endif
