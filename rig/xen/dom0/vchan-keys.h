/* Takes back the keys of a vchan server, as Qubes' library does: one client, then they go, and the last takes the peer's folder along. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenstore.h>

static void remove_keys(struct xs_handle *xs, uint32_t domid, int port)
{
	char folder[64], keys[96];
	xs_transaction_t transaction;

	snprintf(folder, sizeof(folder), "data/vchan/%u", domid);
	snprintf(keys, sizeof(keys), "%s/%d", folder, port);
	do {
		unsigned int left = 1;

		transaction = xs_transaction_start(xs);
		if (transaction == XBT_NULL)
			return;
		xs_rm(xs, transaction, keys);
		free(xs_directory(xs, transaction, folder, &left));
		if (left == 0)
			xs_rm(xs, transaction, folder);
	} while (!xs_transaction_end(xs, transaction, false) && errno == EAGAIN);
}
