-- Version 2 of the ledger: by which image a relayed copy is carried, and in which region that lies.
-- NULL where it is the original.
ALTER TABLE copies ADD COLUMN via TEXT;
ALTER TABLE copies ADD COLUMN carrier TEXT;
