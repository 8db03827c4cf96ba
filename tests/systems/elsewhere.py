"""Tests of what Windows has not, by name: under its rules they are left out."""

LINKS = "links are refused"
NOT_ON_WINDOWS = {
    "test_a_carried_file_is_a_hard_link": LINKS,
    "test_a_carried_file_may_get_another_path": LINKS,
    "test_a_container_that_stays_as_it_is_is_linked": LINKS,
    "test_a_file_from_outside_gets_the_name_of_its_slice": LINKS,
    "test_a_file_is_on_the_disk_before_it_gets_its_name": "folders are not flushed",
    "test_a_file_is_whole_through_a_link_only_where_links_are_asked_for": LINKS,
    "test_a_link_that_is_taken_stays_a_link": LINKS,
    "test_a_name_as_long_as_they_may_be_is_made": "a path may have 259 letters",
    "test_a_taken_array_is_its_two_links_for_all_its_files": LINKS,
    "test_a_taken_container_is_one_link_for_all_its_files": LINKS,
    "test_a_tar_of_no_arrays_is_linked_and_one_of_arrays_is_not": LINKS,
    "test_an_array_that_stays_as_it_is_is_linked": LINKS,
    "test_another_way_of_bringing_in_never_touches_the_original": LINKS,
    "test_carrying_replaces_what_an_earlier_attempt_left": LINKS,
    "test_files_are_linked_not_copied": LINKS,
    "test_links_are_made_on_request": LINKS,
    "test_links_to_the_originals_stay_links": LINKS,
    "test_the_descriptor_is_the_last_to_get_its_name": "folders are not flushed",
    "test_what_a_stage_leaves_as_it_is_costs_no_bytes": LINKS,
    "test_what_a_stage_leaves_as_it_is_takes_no_room": LINKS,
    "test_what_the_file_system_keeps_until_the_lock_is_closed_is_no_matter": "this is NFS",
}
"""The name of a test -> why."""
