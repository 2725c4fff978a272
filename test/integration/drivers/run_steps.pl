# Runs the steps that stand in its input over DBD::MariaDB, which is MariaDB's own Connector/C, and prints what each
# gave: see test_sql_drivers.py.
use strict;
use warnings;
use DBI;
use JSON::PP;

my $json = JSON::PP->new->canonical->allow_nonref;
my $input = $json->decode(do { local $/; <STDIN> });
my $source = "DBI:MariaDB:host=$input->{host};port=$input->{port};database=$input->{database}"
    . ";mariadb_local_infile=1;mariadb_multi_statements=1";
my $link = DBI->connect($source, $input->{user}, $input->{password},
    {RaiseError => 0, PrintError => 0, mariadb_auto_reconnect => 0, AutoCommit => 1})
    or do { print STDERR $DBI::errstr; exit 1 };

sub told { defined $_[0] ? "x" . unpack("H*", do { my $v = "$_[0]"; utf8::encode($v) if utf8::is_utf8($v); $v }) : undef }
sub error { {error => [$_[0]->err, $_[0]->state, $_[0]->errstr]} }

sub results_of {
    my ($statement) = @_;
    my @results;
    while (1) {
        if (($statement->{NUM_OF_FIELDS} // 0) > 0) {
            my @columns = map { [$statement->{NAME}[$_], $statement->{mariadb_type}[$_], $statement->{mariadb_length}[$_],
                $statement->{mariadb_is_key}[$_], $statement->{NULLABLE}[$_], $statement->{mariadb_table}[$_]] } 0 .. $statement->{NUM_OF_FIELDS} - 1;
            my @rows;
            while (my $row = $statement->fetchrow_arrayref) {
                push @rows, [map { told($_) } @$row];
            }
            push @results, error($statement) if $statement->err;
            push @results, {columns => \@columns, rows => \@rows};
        } else {
            push @results, {affected => $statement->rows, insert_id => $statement->{mariadb_insertid}};
        }
        push @results, {warnings => $statement->{mariadb_warning_count}};
        last unless $statement->more_results;
    }
    push @results, error($statement) if $statement->err;
    return @results;
}

for my $step (@{$input->{steps}}) {
    my @results;
    if (exists $step->{sql}) {
        my $statement = $link->prepare($step->{sql}, {mariadb_server_prepare => 0});
        @results = $statement && $statement->execute ? results_of($statement) : (error($statement // $link));
        push @results, {info => $link->{mariadb_info}};
    } elsif (exists $step->{prepare} && $step->{prepare} =~ /^CALL/) {
        push @results, "not known to this driver";    # it has no second result of a prepared statement
    } elsif (exists $step->{prepare}) {
        my $statement = $link->prepare($step->{prepare}, {mariadb_server_prepare => 1, mariadb_server_prepare_disable_fallback => 1});
        push @results, error($link) unless $statement;
        for my $parameters ($statement ? @{$step->{executions}} : ()) {
            push @results, $statement->execute(@$parameters) ? results_of($statement) : error($statement);
        }
    } elsif (exists $step->{ping}) {
        push @results, $link->ping ? 1 : error($link);
    } elsif (exists $step->{database}) {
        push @results, $link->do("USE `$step->{database}`") ? 1 : error($link);
    } else {
        push @results, "not known to this driver";
    }
    print $json->encode(\@results), "\n";
}
