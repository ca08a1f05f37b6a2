"""Language models behind one small protocol: chat requests in, text out, every reply recorded."""
